"""What the bank accepts: pure functions of a request and of who sent it."""

import re

from bank import settings
from bank.errors import Refused

NEEDED = ("username", "password", "password-repeat", "firstname", "lastname", "birthday", "timezone", "address", "state", "zip", "ssn")


def why_no_user(form):
    """None, or what is wrong with a request for a new user."""
    for field in NEEDED:
        if not form.get(field, "").strip():
            return f"{field} is missing"
    if not re.fullmatch(r"[a-zA-Z0-9_]{2,15}", form["username"]):
        return "the username must have 2 to 15 letters, digits or underscores"
    if form["password"] != form["password-repeat"]:
        return "the passwords differ"
    return None


def read_contact(document):
    """(label, account, routing, is_external) of a request, or Refused."""
    label, account, routing = (str(document.get(field, "")).strip() for field in ("label", "account_num", "routing_num"))
    if not re.fullmatch(r"\d{10}", account):
        raise Refused(400, "account_num must have 10 digits")
    if not re.fullmatch(r"\d{9}", routing):
        raise Refused(400, "routing_num must have 9 digits")
    if not 1 <= len(label) <= 30:
        raise Refused(400, "label must have 1 to 30 characters")
    return label, account, routing, bool(document.get("is_external"))


def read_transaction(document, caller_account):
    """The row to write, or Refused. A payment leaves the caller's account; a deposit comes to it from another bank."""
    fields = {name: str(document.get(name, "")) for name in ("uuid", "fromAccountNum", "fromRoutingNum", "toAccountNum", "toRoutingNum")}
    cents = document.get("amount")
    source = (fields["fromAccountNum"], fields["fromRoutingNum"])
    target = (fields["toAccountNum"], fields["toRoutingNum"])
    if not 1 <= len(fields["uuid"]) <= 64:
        raise Refused(400, "a transaction needs a uuid")
    if not all(re.fullmatch(r"\d{10}", account) and re.fullmatch(r"\d{9}", routing) for account, routing in (source, target)):
        raise Refused(400, "account numbers have 10 digits, routing numbers 9")
    if not isinstance(cents, int) or isinstance(cents, bool) or cents <= 0:
        raise Refused(400, "the amount must be more than nothing, in cents")
    if source == target:
        raise Refused(400, "the accounts are the same")
    own = (caller_account, settings.LOCAL_ROUTING)
    if source != own and (target != own or source[1] == settings.LOCAL_ROUTING):
        raise Refused(401, "this is somebody else's account")
    return (fields["uuid"], *source, *target, cents)
