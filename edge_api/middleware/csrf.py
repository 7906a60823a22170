"""Refuses cross-site requests, in addition to the cookie's SameSite=Strict.

Browsers state the source of a request in Sec-Fetch-Site (Fetch Metadata) and, if it may change something, in Origin
(Fetch, 3.2). A request with neither header does not come from a browser, so CSRF does not apply.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_api.problems import Problem

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})


class CsrfProtection:
    """Lets a request through that only reads, comes from a page at one of `origins`, or from no page at all."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to what is from elsewhere, before anything of the body is read."""
        if scope["method"] in _READING or self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = Problem(403, "CROSS_SITE", "Pages of other sites may not change anything here.")
        await refusal.response()(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        # Every line of a header that came twice has to be right.
        return set(headers.getlist("sec-fetch-site")) <= _OWN and set(headers.getlist("origin")) <= self._origins
