"""The layer that learns who calls: the gateway's word is taken beside the mesh token, and nobody else's."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis import identity
from chassis.errors import Unauthenticated
from edge_api import problems

PROTECTED = "/api/v1/"


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
