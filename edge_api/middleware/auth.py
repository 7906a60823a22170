"""Authenticate the caller, and reject cross-site requests.

The gateway names the user in a header, which is trusted only together with the mesh token. The session cookie has
SameSite=Strict. Browsers also send the source of a request in Sec-Fetch-Site (Fetch Metadata) and, if its method is not
GET or HEAD, in Origin (Fetch, 3.2). A request with neither header does not come from a browser, so CSRF does not apply.
"""

from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import identity
from chassis.errors import Unauthenticated
from edge_api import problems
from edge_api.problems import Problem

PROTECTED = "/api/v1/"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({"same-origin", "none"})


class Authenticate:
    """Requires a user for the paths under /api/v1/; all other paths are public."""

    def __init__(self, app: ASGIApp, tokens: identity.MeshTokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, or respond with 401 before the body is read if the caller is unknown."""
        if scope["path"].startswith(PROTECTED):
            try:
                identity.set_user(self.user_of(Headers(scope=scope)))
            except Unauthenticated as error:
                await problems.of_service_error(error).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def user_of(self, headers: Headers) -> str:
        """Return the user of a request. Raises Unauthenticated if the token or the user is missing or invalid."""
        tokens, users = headers.getlist(identity.TOKEN_KEY), headers.getlist(identity.USER_KEY)
        if len(tokens) > 1 or len(users) > 1:
            raise Unauthenticated("AMBIGUOUS_CALLER", "A header that identifies the caller was sent more than once.")
        # Without configured tokens, `accept` accepts any token.
        if self._tokens.outgoing is None or not tokens or not self._tokens.accept(tokens[0]):
            raise Unauthenticated("NOT_OF_THE_MESH", "Only the gateway may call the edge; call the gateway.")
        if not users or not identity.is_username(users[0]):
            raise Unauthenticated("NO_USER", "The request has no valid user; sign in first.")
        return users[0]


class CsrfProtection:
    """Accepts a request that only reads, comes from a page at one of `origins`, or does not come from a page."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request, or respond with 403 before the body is read if it is cross-site."""
        if scope["method"] in _READING or self._is_own(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = Problem(403, "CROSS_SITE", "A page of another site must not change anything here.")
        await refusal.response()(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        # If a header is repeated, every value must be allowed.
        return set(headers.getlist("sec-fetch-site")) <= _OWN and set(headers.getlist("origin")) <= self._origins
