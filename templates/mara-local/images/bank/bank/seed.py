"""The accounts that every new bank has: a pure function of how many were asked for.

Users, contacts and ledger live in different services; because each computes its part from the same
rules, they fit together without one asking the other.
"""

import collections
import datetime

from bank import settings

User = collections.namedtuple("User", "username account first_name last_name")
Contact = collections.namedtuple("Contact", "username label account routing is_external")
Entry = collections.namedtuple("Entry", "uuid from_account from_routing to_account to_routing cents at")

PASSWORD = "bankofsirius"
EXTERNAL_ACCOUNT = "9099791699"
EXTERNAL_ROUTING = "808889588"

# The first four have the numbers that published checks and load plans of the original use.
KNOWN = (
    User("testuser", "1011226111", "Test", "User"),
    User("alice", "1033623433", "Alice", "Archer"),
    User("bob", "1055757655", "Bob", "Baker"),
    User("eve", "1077441377", "Eve", "Egger"),
)


def users(number):
    made = [User(f"user{i:04d}", str(1100000000 + i * 7919), "User", f"Number {i}") for i in range(len(KNOWN), number)]
    return [*KNOWN, *made][:number]


def contacts(number):
    """Everybody knows the other known users and has one account at another bank."""
    everybody = users(number)
    friends = everybody[: len(KNOWN)]
    found = []
    for user in everybody:
        found += [
            Contact(user.username, friend.first_name, friend.account, settings.LOCAL_ROUTING, False)
            for friend in friends
            if friend.username != user.username
        ]
        found.append(Contact(user.username, "External Bank", EXTERNAL_ACCOUNT, EXTERNAL_ROUTING, True))
    return found


def ledger(number, today):
    """Three months of salaries, and payments among the known users; no account is ever below zero."""
    entries = []
    everybody = users(number)
    local = settings.LOCAL_ROUTING
    for i, user in enumerate(everybody):
        for month in range(3):
            entries.append(
                Entry(
                    f"seed-salary-{user.account}-{month}",
                    EXTERNAL_ACCOUNT,
                    EXTERNAL_ROUTING,
                    user.account,
                    local,
                    250_000 + 10_000 * (i % 7) + 17 * month,
                    today - datetime.timedelta(days=90 - 30 * month),
                )
            )
    friends = everybody[: len(KNOWN)]
    for i, user in enumerate(friends):
        for j, friend in enumerate(friends):
            if i != j:
                when = today - datetime.timedelta(days=1 + 5 * i + j, hours=j)
                uuid = f"seed-payment-{user.account}-{friend.account}"
                entries.append(Entry(uuid, user.account, local, friend.account, local, 1_250 * (i + 1) + 325 * j, when))
    return sorted(entries, key=lambda entry: entry.at)
