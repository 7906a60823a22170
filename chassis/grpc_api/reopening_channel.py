"""A channel that looks for its server again within seconds, however long the server's name did not exist."""

import asyncio
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import grpc

from chassis import background_jobs

_REOPEN_SECONDS = 5.0
_CLOSE_SECONDS = 60.0  # the longest time limit of a call; a stream without messages ends earlier


class ReopeningChannel(grpc.aio.Channel):
    """A channel that replaces itself by a new one while it has no connection, at most every `reopen_seconds`.

    If a name does not exist, gRPC resolves it again after 1 s, then after ever longer pauses of up to 2 minutes. No
    option limits them, and grpc.aio cannot reset them, but a new channel resolves the name at once. Calls in progress
    end on the old channel.

    `intercept` wraps the callable of each unary method; it gets the method's path and the callable.
    """

    def __init__(
        self,
        open_channel: Callable[[], grpc.aio.Channel],
        intercept: Callable[[str, Callable[..., Any]], Callable[..., Any]] = lambda _path, call: call,
        *,
        reopen_seconds: float = _REOPEN_SECONDS,
    ) -> None:
        self._open = open_channel
        self._intercept = intercept
        self._current = open_channel()
        self._methods = weakref.WeakSet[_Method]()
        self._closing: dict[asyncio.Task[None], grpc.aio.Channel] = {}
        self._watching = asyncio.create_task(self._reopen_while_failing(reopen_seconds), name="channel")

    async def _reopen_while_failing(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            if self._current.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                self._reopen()

    def _reopen(self) -> None:
        closing = asyncio.create_task(self._current.close(_CLOSE_SECONDS))
        self._closing[closing] = self._current
        closing.add_done_callback(self._closing.pop)
        self._current = self._open()
        for method in self._methods:
            method.bind(self._current)

    def _method(self, kind: str, *args: Any, **options: Any) -> Any:
        method = _Method(kind, args, options)
        method.bind(self._current)
        self._methods.add(method)
        return method

    def unary_unary(self, method: str, *args: Any, **options: Any) -> Any:
        """Return a callable for a method."""
        return self._intercept(method, self._method("unary_unary", method, *args, **options))

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        """Return a callable for a method."""
        return self._method("unary_stream", *args, **options)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        """Return a callable for a method."""
        return self._method("stream_unary", *args, **options)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        """Return a callable for a method."""
        return self._method("stream_stream", *args, **options)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the current channel."""
        return self._current.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Wait for a change of the current channel's state."""
        await self._current.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Wait until the current channel is ready."""
        await self._current.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Close the channel; calls in progress have `grace` seconds to end."""
        channels = [self._current, *self._closing.values()]
        await background_jobs.end([self._watching, *self._closing])
        await asyncio.gather(*(channel.close(grace) for channel in channels))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


class _Method:
    """A method of the current channel."""

    def __init__(self, kind: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._kind = kind
        self._args = args
        self._options = options
        self._call: Callable[..., Any]

    def bind(self, channel: grpc.aio.Channel) -> None:
        """Send further calls to `channel`."""
        self._call = getattr(channel, self._kind)(*self._args, **self._options)

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._call(*args, **options)
