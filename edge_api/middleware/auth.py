"""Authenticates the caller, and refuses cross-site requests.

The gateway names the user, and is believed beside the mesh token only. In addition to the cookie's SameSite=Strict,
browsers state the source of a request in Sec-Fetch-Site (Fetch Metadata) and, if it may change something, in Origin
(Fetch, 3.2). A request with neither header does not come from a browser, so CSRF does not apply.
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
    """Lets requests to the API through that act for a user; all else of the edge is open."""

    def __init__(self, app: ASGIApp, tokens: identity.MeshTokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 401 to a caller that it does not know, before anything of the body is read."""
        if scope["path"].startswith(PROTECTED):
            try:
                identity.set_user(self.user_of(Headers(scope=scope)))
            except Unauthenticated as error:
                await problems.of_service_error(error).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def user_of(self, headers: Headers) -> str:
        """Who a request acts for. Raises Unauthenticated when that is not certain."""
        tokens, users = headers.getlist(identity.TOKEN_KEY), headers.getlist(identity.USER_KEY)
        if len(tokens) > 1 or len(users) > 1:
            raise Unauthenticated("AMBIGUOUS_CALLER", "The headers that name the caller were given twice.")
        # Without tokens of its own, `accept` takes any.
        if self._tokens.outgoing is None or not tokens or not self._tokens.accept(tokens[0]):
            raise Unauthenticated("NOT_OF_THE_MESH", "Only the gateway may call; sign in there.")
        if not users or not identity.is_username(users[0]):
            raise Unauthenticated("NO_USER", "The gateway did not say who is calling; sign in first.")
        return users[0]


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
