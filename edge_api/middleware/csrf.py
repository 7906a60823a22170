"""The layer that refuses what another site's page makes a browser send, beside the cookie's SameSite=Strict.

Browsers say where a request comes from: by Sec-Fetch-Site (Fetch Metadata) and, when it may change something, by Origin
(Fetch, 3.2). Who sends neither is no browser, so no page of another site is behind it.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_api.problems import Problem

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})


class SameSite:
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
