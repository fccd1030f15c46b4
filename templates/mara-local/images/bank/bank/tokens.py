"""Session tokens: JWTs signed by the user service's private key, checked by everybody with the public one."""

import functools
import time

import jwt
from flask import request

from bank import settings
from bank.errors import Refused

ALGORITHM = "RS256"


@functools.lru_cache(maxsize=None)
def _key(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def issue(username, account, name, now_s=None):
    now_s = int(time.time() if now_s is None else now_s)
    claims = {"user": username, "acct": account, "name": name, "iat": now_s, "exp": now_s + settings.SESSION_S}
    return jwt.encode(claims, _key(settings.PRIVATE_KEY_FILE), algorithm=ALGORITHM)


def read(token):
    """The claims of a token, or None if it is not ours or has expired."""
    try:
        return jwt.decode(token, _key(settings.PUBLIC_KEY_FILE), algorithms=[ALGORITHM], options={"require": ["exp", "user", "acct"]})
    except jwt.PyJWTError:
        return None


def of_caller():
    """The claims of the bearer token of the request being served; refuses callers without one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = read(token) if scheme == "Bearer" else None
    if not claims:
        raise Refused(401, "no valid session token")
    return claims


def why_not_ready():
    try:
        _key(settings.PUBLIC_KEY_FILE)
    except OSError as error:
        return str(error)
    return None
