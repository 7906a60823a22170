"""HTTP as Apprise's plugins are given it, in place of `requests`: their settings and the environment's change nothing.

No redirects, no proxies, no .netrc, certificates always verified, every request under the event's id, answers no longer
than 64 KiB.
"""

import logging
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import partial
from socket import socket
from types import ModuleType
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from notify_svc.delivery import outbound

_ANSWER_BYTES_MAX = 64 * 1024
_METHODS = ("get", "options", "head", "post", "put", "patch", "delete")
_BUSY = (requests.codes.too_many_requests, requests.codes.service_unavailable)


def guarded() -> ModuleType:
    """A module that looks like `requests` and keeps the rules."""
    logging.getLogger("urllib3").propagate = False  # its warnings quote URLs, and what the other side sends
    module = ModuleType(requests.__name__, __doc__)
    methods = {method: partial(_request, method) for method in _METHODS}
    vars(module).update({**vars(requests), **methods, "request": _request, "session": _Session, "Session": _Session})
    return module


def _request(method: str, url: str, **given: Any) -> requests.Response:
    with _Session() as session:
        return session.request(method, url, **given)


class _Session(requests.Session):
    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        call = outbound.current()
        headers = {**(given.get("headers") or {}), "Idempotency-Key": call.event_id}
        rules = {"timeout": call.timeout_seconds, "allow_redirects": False, "proxies": None, "verify": True}
        try:
            with super().request(method, url, **{**given, **rules, "headers": headers, "stream": True}) as response:
                _read(response)
        except requests.RequestException as error:
            call.problem = _in_words(error)
            raise
        if not response.ok or response.is_redirect:
            call.problem = f"answered {response.status_code}"
        call.retry_after_seconds = _retry_after(response.headers) if response.status_code in _BUSY else None
        return response


def _read(response: requests.Response) -> None:
    """Reads the beginning of an answer; `requests` alone would read all of it, however long."""
    try:
        beginning = response.raw.read(_ANSWER_BYTES_MAX, decode_content=True)
    except HTTPError:
        raise requests.ConnectionError from None
    response._content, response._content_consumed = beginning, True  # there is no other way to give it one


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The pause that a server asks for (RFC 9110, 10.2.3), in seconds or as a date; None where it names none."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)


def _in_words(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate or TLS is not in order"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot be reached, or broke off"
    return f"the request failed: {type(error).__name__}"


class _WatchedHTTP(HTTPConnection):
    def _new_conn(self) -> socket:
        return _watched(super()._new_conn())


class _WatchedHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket:
        return _watched(super()._new_conn())


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _WatchedHTTP


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedHTTPS


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def _watched(connection: socket) -> socket:
    outbound.current().watch(connection)
    return connection
