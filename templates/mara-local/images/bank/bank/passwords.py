"""Passwords as salted hashes."""

import base64
import hashlib
import hmac
import os

# Few on purpose: a thousand demo accounts are seeded at start, and the environment lives for hours.
ROUNDS = 1000


def _hash(password, salt, rounds):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)


def protect(password):
    salt = os.urandom(16)
    return "$".join((str(ROUNDS), base64.b64encode(salt).decode(), base64.b64encode(_hash(password, salt, ROUNDS)).decode()))


def matches(password, protected):
    rounds, salt, expected = protected.split("$")
    return hmac.compare_digest(_hash(password, base64.b64decode(salt), int(rounds)), base64.b64decode(expected))
