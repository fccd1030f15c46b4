"""Amounts are whole cents everywhere but on the page."""

import decimal


def show(cents):
    """$1,234.56; what is not known is $---."""
    if cents is None:
        return "$---"
    sign = "-" if cents < 0 else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def read_cents(text):
    """Cents of an amount that somebody typed, or None if it is not a positive amount with whole cents."""
    try:
        cents = decimal.Decimal(text.strip()) * 100
    except (decimal.InvalidOperation, AttributeError):
        return None
    if not cents.is_finite() or cents != cents.to_integral_value() or not 0 < cents <= 10**12:
        return None
    return int(cents)
