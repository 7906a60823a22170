"""The interceptor that authenticates callers by the mesh token, and sets the user of a call."""

from collections.abc import Collection
from typing import Any

import structlog

from chassis import identity
from chassis.errors import Unauthenticated
from chassis.grpc_api import reflection
from chassis.grpc_api.interceptor import CallNext, RpcCall

HEALTH = "grpc.health.v1.Health"


class Authenticate:
    """Requires a valid mesh token, and reads the user of the call from the metadata.

    Health checks need no token. The services in `userless` and reflection need only the token; all others also need the
    user's name.
    """

    def __init__(self, tokens: identity.MeshTokens, userless: Collection[str]) -> None:
        self._tokens = tokens
        self._userless = frozenset({*userless, reflection.V1, reflection.V1ALPHA})

    async def __call__(self, call: RpcCall, call_next: CallNext) -> Any:
        """Run the call as its user. Raises Unauthenticated without a valid token or username."""
        if call.service != HEALTH:
            if not self._tokens.accept(call.metadata.get(identity.TOKEN_KEY)):
                raise Unauthenticated("NOT_OF_THE_MESH", f"A valid {identity.TOKEN_KEY} is required.")
            user = None if call.service in self._userless else _user_of(call)
            identity.set_user(user)
            structlog.contextvars.bind_contextvars(user=user)
        return await call_next()


def _user_of(call: RpcCall) -> str:
    names = [value for key, value in call.context.invocation_metadata() or () if key == identity.USER_KEY]
    if len(names) != 1 or not isinstance(names[0], str) or not identity.is_username(names[0]):
        raise Unauthenticated("NO_USER", f"{identity.USER_KEY} must name one user: [A-Za-z0-9._-], 1 to 64 characters.")
    return names[0]
