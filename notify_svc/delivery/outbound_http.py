"""Replaces `requests` for Apprise's plugins. Neither the plugins nor the environment can change its rules.

The rules: no redirects, no proxies, no .netrc, certificates are always verified, every request has the event's id as
Idempotency-Key, and at most 64 KiB of a response are read.
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

_RESPONSE_BYTES_MAX = 64 * 1024
_METHODS = ("get", "options", "head", "post", "put", "patch", "delete")
_BUSY = (requests.codes.too_many_requests, requests.codes.service_unavailable)


def guarded() -> ModuleType:
    """Return a module with the interface of `requests` that enforces the rules."""
    logging.getLogger("urllib3").propagate = False  # its warnings contain URLs and responses
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
            call.problem = _description(error)
            raise
        if not response.ok or response.is_redirect:
            call.problem = f"HTTP status {response.status_code}"
        call.retry_after_seconds = _retry_after(response.headers) if response.status_code in _BUSY else None
        return response


def _read(response: requests.Response) -> None:
    """Read the beginning of a response; `requests` would read a response of any size."""
    try:
        beginning = response.raw.read(_RESPONSE_BYTES_MAX, decode_content=True)
    except HTTPError:
        raise requests.ConnectionError from None
    response._content, response._content_consumed = beginning, True  # requests has no public way to set them


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in Retry-After (RFC 9110, 10.2.3; seconds or a date) in seconds; None without a valid one."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value) if value.isdecimal() else parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)


def _description(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS handshake failed; check the server's certificate"
    if isinstance(error, requests.exceptions.Timeout):
        return "the request timed out"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "cannot connect, or the connection broke"
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
