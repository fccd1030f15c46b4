"""Faults planted in some versions on purpose, so that people can see their checks catch them.

Each belongs to a version of the image and shows in the services that run this version.
"""

from bank import settings

PLANTED = {
    "1.2-regression": {"balance_unread"},
    "1.3-stuck": {"never_ready"},
    "1.4-slow": {"slow_pages"},
}
SLOW_PAGE_S = 0.4


def planted(fault):
    return fault in PLANTED.get(settings.VERSION, ())
