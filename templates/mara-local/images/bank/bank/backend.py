"""Calls from one service to another."""

import http.client
import json
import urllib.parse

from bank import settings


class BackendError(Exception):
    """The other service did not do it: `status` is its answer, or None if there was none."""

    def __init__(self, service, status, sentence):
        super().__init__(f"{service}: {sentence}")
        self.status = status
        self.sentence = sentence


def call(service, method, path, token=None, form=None, document=None, timeout_s=settings.BACKEND_TIMEOUT_S):
    """Returns the JSON of a 2xx answer; everything else is a BackendError."""
    headers, body = {}, None
    if token:
        headers["Authorization"] = "Bearer " + token
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urllib.parse.urlencode(form)
    if document is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(document)

    connection = http.client.HTTPConnection(settings.address(service), timeout=timeout_s)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise BackendError(service, None, f"no answer ({error})") from error
    finally:
        connection.close()
    return _judge(service, answer.status, text)


def _judge(service, status, text):
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if 200 <= status < 300:
        return document
    raise BackendError(service, status, _reason(document) or f"status {status}")


def _reason(document):
    """What a service says of itself: {"error": sentence}, or {"broken": {component: sentence}} of its readiness."""
    if not isinstance(document, dict):
        return None
    broken = document.get("broken")
    return document.get("error") or (", ".join(broken.values()) if broken else None)


def why_not_ready(service):
    """None, or a sentence: what the readiness of another service says."""
    try:
        call(service, "GET", "/z/health/readiness", timeout_s=2.5)
    except BackendError as error:
        return str(error)
    return None
