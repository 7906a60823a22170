"""The layers that stand before every servicer: errors become statuses, callers are known, deadlines are set."""

import asyncio
from collections.abc import Collection
from typing import Any

import grpc
import structlog

from chassis import deadline, identity, status
from chassis.errors import DeadlineExceeded, Internal, ServiceError, Unauthenticated, Unavailable
from chassis.layers import Call, Proceed
from chassis.status import code_name

_log = structlog.get_logger("rpc")

HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


async def conclude(call: Call, proceed: Proceed) -> Any:
    """Ends every call with a status, and notes it in `call.code`.

    A ServiceError becomes its status; what nobody foresaw is logged whole and told to nobody.
    """
    given = call.context.time_remaining()
    try:
        response = await proceed()
        call.code = code_name(call.context.code())
        return response
    except ServiceError as error:
        await _abort(call, error)
    except grpc.aio.AbortError:
        call.code = code_name(call.context.code())
        raise
    except asyncio.CancelledError:
        if not _is_being_cancelled():  # it came from within, and would leave the client without any answer
            await _abort(call, Unavailable("INTERRUPTED", "The call was interrupted; try again."))
        call.code = "DEADLINE_EXCEEDED" if _deadline_has_passed(call, given) else "CANCELLED"
        raise
    except Exception:
        _log.exception("unexpected error", method=f"{call.service}/{call.method}")
        await _abort(call, Internal("INTERNAL", "The service met an error of its own; its log has the rest."))


async def _abort(call: Call, error: ServiceError) -> None:
    call.code = status.code_of(error).name
    await status.abort(call.context, error)


def _deadline_has_passed(call: Call, given: float | None) -> bool:
    # A client cancels at its own deadline, of which grpc tells the server in round figures: up to 4 % later.
    left = call.context.time_remaining()
    return given is not None and left is not None and left <= 0.04 * given + 0.05


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Authenticate:
    """Believes a caller who brings the mesh token, and learns from the metadata which user it acts for.

    Health is open to all; the services in `userless` need the token alone, all others the user's name too.
    """

    def __init__(self, tokens: identity.MeshTokens, userless: Collection[str]) -> None:
        self._tokens = tokens
        self._userless = frozenset({*userless, REFLECTION})

    async def __call__(self, call: Call, proceed: Proceed) -> Any:
        """Raises Unauthenticated for a caller that it does not know."""
        if call.service != HEALTH:
            if not self._tokens.accept(call.metadata.get(identity.TOKEN_KEY)):
                raise Unauthenticated("NOT_OF_THE_MESH", f"A valid {identity.TOKEN_KEY} is needed.")
            user = None if call.service in self._userless else _user_of(call)
            identity.set_user(user)
            structlog.contextvars.bind_contextvars(user=user)
        return await proceed()


def _user_of(call: Call) -> str:
    names = [value for key, value in call.context.invocation_metadata() or () if key == identity.USER_KEY]
    if len(names) != 1 or not isinstance(names[0], str) or not identity.is_username(names[0]):
        raise Unauthenticated("NO_USER", f"{identity.USER_KEY} must name one user: [A-Za-z0-9._-], 1 to 64 characters.")
    return names[0]


class Deadlines:
    """Gives a unary call without a deadline the default one, and lets everything below know the time that is left."""

    def __init__(self, default_seconds: float) -> None:
        self._default_seconds = default_seconds

    async def __call__(self, call: Call, proceed: Proceed) -> Any:
        """Raises DeadlineExceeded when the default deadline passes; the client's own is kept by grpc."""
        remaining = call.context.time_remaining()
        if remaining is not None:
            deadline.set_remaining(remaining)
            return await proceed()
        if call.streams_responses:
            return await proceed()
        deadline.set_remaining(self._default_seconds)
        try:
            async with asyncio.timeout(self._default_seconds) as limit:
                return await proceed()
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded("DEADLINE_EXCEEDED", "The call took longer than the default deadline.") from None
