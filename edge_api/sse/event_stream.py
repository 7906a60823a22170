"""The response to `GET /api/v1/events`: server-sent events (WHATWG HTML, 9.2) for four to five minutes.

It implements ASGI directly, not as a generator that a framework runs. It can therefore notice a disconnect at once,
and close the connection of a client that does not read.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import nullcontext, suppress

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.errors import Exhausted
from chassis.feed.stream_id import StreamId, stream_id_of, token_of
from chassis.feed.watcher import Batch, Watcher, lifetime_seconds
from chassis.grpc_api import deadlines
from edge_api.protocol import Connection, connection_of
from edge_api.sse import frames
from edge_api.sse.frames import Frame
from edge_api.sse.live import Live

_log = structlog.get_logger("events")

SEND_SECONDS = 5.0
_PIECE_BYTES = 16 * 1024  # the maximum of one write, which limits the buffer of a client that does not read
_RETRY_MS = (1000, 5000)  # random, so that clients that lose their connections together do not reconnect together
_RETRY_SOON_MS = 500  # when the stream's lifetime ends, which is random; short, so that events are not delayed
_SEPARATOR = "~"  # between the positions in the two feeds, which form the id of an event
_FIRST_POSITION: StreamId = (0, 0)
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # otherwise nginx, and so Kong, buffers the response
)


class EventStream(Response):
    """Streams changes to one user's tasks and the user's new notifications, after `last_event_id` or from now on.

    If the id is invalid or too old, the stream starts with a reset: the client must load everything again.
    """

    media_type = "text/event-stream"

    def __init__(self, live: Live, user: str, last_event_id: str | None) -> None:
        super().__init__()
        self._live = live
        self._user = user
        self._after = _positions(last_event_id)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Run the stream. Raises Unavailable or Exhausted, before the response starts, if a feed refuses it."""
        deadlines.lift()
        woken = asyncio.Event()
        tasks_after, notifications_after = self._after
        async with (
            self._live.tasks.watch(self._user, tasks_after, woken=woken) as tasks,
            self._live.notifications.watch(self._user, notifications_after, woken=woken) as notifications,
        ):
            connection = connection_of(scope)
            writer = _Writer(self._live, tasks, notifications, woken, connection, send)
            # A copy, because the middleware adds headers of this request to it.
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            # In its own task: otherwise each wake-up would resume the coroutines of all middleware.
            writing = asyncio.create_task(writer.run())
            try:
                await writing
            except TimeoutError:
                _log.warning("event stream aborted, client does not read", user=self._user)
                connection.abort()
                # Returns when the connection is closed. The server logs an error for a response that ends before.
                await send({"type": "http.response.body"})
            finally:
                writing.cancel()


class _Writer:
    """Writes both feeds as one stream. An event's id has the positions in both feeds after which a client resumes."""

    def __init__(
        self,
        live: Live,
        tasks: Watcher[Frame],
        notifications: Watcher[Frame],
        woken: asyncio.Event,
        connection: Connection,
        send: Send,
    ) -> None:
        self._sources = ((live.tasks, tasks), (live.notifications, notifications))
        self._tokens = [token_of(tasks.position), token_of(notifications.position)]
        self._woken = woken
        self._connection = connection
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._last_field = b""
        self._heartbeats = live.heartbeats
        self._is_heartbeat_due = True

    async def run(self) -> None:
        """Write until the stream ends. Raises TimeoutError if the client does not read."""
        if self._connection.is_lost:  # the client may have disconnected while `watch` waited for its position
            return
        self._connection.on_lost = self._end
        end = self._loop.call_later(lifetime_seconds(), self._end_lifetime)
        try:
            # Exhausted: too many events waited. The client reconnects and resumes with its last event id.
            with self._heartbeats.each(self._beat), suppress(Exhausted):
                await self._write(frames.retry(random.randint(*_RETRY_MS)))  # noqa: S311 (not for security)
                while not self._is_over and not any(watcher.is_over for _, watcher in self._sources):
                    self._woken.clear()
                    await self._write_batches()
                    if self._is_heartbeat_due:
                        self._is_heartbeat_due = False
                        await self._write(frames.heartbeat(self._id()))
                    await self._woken.wait()
        finally:
            self._connection.on_lost = None
            end.cancel()
        await self._write(self._last_field, more=False)

    def _end(self) -> None:
        self._is_over = True
        self._woken.set()

    def _end_lifetime(self) -> None:
        self._last_field = frames.retry(_RETRY_SOON_MS)
        self._end()

    def _beat(self) -> None:
        self._is_heartbeat_due = True
        self._woken.set()

    async def _write_batches(self) -> None:
        batches = [watcher.take() for _, watcher in self._sources]
        if any(batch.is_reset for batch in batches):
            for index, batch in enumerate(batches):
                if batch.is_reset:
                    self._tokens[index] = token_of(batch.position)
            await self._write(self._with_id(frames.RESET))
        for index, ((feed, _), batch) in enumerate(zip(self._sources, batches, strict=True)):
            for piece in batch.pieces(_PIECE_BYTES):
                if piece.items:
                    await self._write(b"".join(self._lines(index, piece)))
                    feed.delivered(piece)
            self._tokens[index] = token_of(batch.position)

    def _lines(self, index: int, piece: Batch[Frame]) -> Iterator[bytes]:
        for item in piece.items:
            self._tokens[index] = token_of(item.position)
            yield self._with_id(item.value.text())

    def _with_id(self, frame: bytes) -> bytes:
        return b"id: %b\n%b" % (self._id().encode(), frame)

    def _id(self) -> str:
        return _SEPARATOR.join(self._tokens)

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        # Setting a timeout takes as long as the write itself, so do it only if the write can block.
        async with asyncio.timeout(SEND_SECONDS) if self._connection.is_congested else nullcontext():
            await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _positions(last_event_id: str | None) -> tuple[StreamId | None, StreamId | None]:
    if not last_event_id:
        return None, None
    tasks, _, notifications = last_event_id.partition(_SEPARATOR)
    return stream_id_of(tasks) or _FIRST_POSITION, stream_id_of(notifications) or _FIRST_POSITION
