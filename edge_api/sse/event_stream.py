"""The answer to `GET /api/v1/events`: server-sent events (WHATWG HTML, 9.2) until the client leaves or time is up.

It is ASGI itself, and not a generator that a framework would run: so it hears at once that its client has left, and
lets go of one that does not read.
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
_PIECE_BYTES = 16 * 1024  # what one write adds to the buffer of a client that does not read
_RETRY_MS = (1000, 5000)  # so that clients that are sent away together do not come back together
_RETRY_SOON_MS = 500  # for one whose time is over: the others' ends at other times, and something may happen meanwhile
_BETWEEN = "~"
_BEFORE_ALL: StreamId = (0, 0)
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx, and so Kong, would collect the answer
)


class EventStream(Response):
    """What happens to one user's tasks, and the user's new notifications, from behind `last_event_id` or from now on.

    An id that no longer means anything, or never did, is answered by a reset.
    """

    media_type = "text/event-stream"

    def __init__(self, live: Live, user: str, last_event_id: str | None) -> None:
        super().__init__()
        self._live = live
        self._user = user
        self._after = _places(last_event_id)

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Raises Unavailable and Exhausted before the answer begins, where nobody can watch now."""
        deadlines.lift()
        woken = asyncio.Event()
        tasks_after, notifications_after = self._after
        async with (
            self._live.tasks.watch(self._user, tasks_after, woken=woken) as tasks,
            self._live.notifications.watch(self._user, notifications_after, woken=woken) as notifications,
        ):
            connection = connection_of(scope)
            writer = _Writer(self._live, tasks, notifications, woken, connection, send)
            # A list of its own, since the middleware adds headers of this request to it.
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            # In a task of its own: waking up a task resumes everything that it awaits, here all of the middleware.
            writing = asyncio.create_task(writer.run())
            try:
                await writing
            except TimeoutError:
                _log.warning("event stream aborted, client does not read", user=self._user)
                connection.abort()
            finally:
                writing.cancel()


class _Writer:
    """Writes both feeds as one, each event under the id by which a client goes on behind it."""

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
        self._places = [token_of(tasks.position), token_of(notifications.position)]
        self._woken = woken
        self._connection = connection
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._is_over = False
        self._last_words = b""
        self._heartbeats = live.heartbeats
        self._is_heartbeat_due = True

    async def run(self) -> None:
        """Writes until it is over. Raises TimeoutError when the client does not take what is written."""
        if self._connection.is_lost:  # it may have left while its token was waited for
            return
        self._connection.on_lost = self._end
        end = self._loop.call_later(lifetime_seconds(), self._end_in_time)
        try:
            # One that was cut goes on with its last id.
            with self._heartbeats.each(self._beat), suppress(Exhausted):
                await self._write(frames.retry(random.randint(*_RETRY_MS)))  # noqa: S311 (spreads load, guards nothing)
                while not self._is_over and not any(watcher.is_over for _, watcher in self._sources):
                    self._woken.clear()
                    await self._write_what_came()
                    if self._is_heartbeat_due:
                        self._is_heartbeat_due = False
                        await self._write(frames.heartbeat(self._id()))
                    await self._woken.wait()
        finally:
            self._connection.on_lost = None
            end.cancel()
        await self._write(self._last_words, more=False)

    def _end(self) -> None:
        self._is_over = True
        self._woken.set()

    def _end_in_time(self) -> None:
        self._last_words = frames.retry(_RETRY_SOON_MS)
        self._end()

    def _beat(self) -> None:
        self._is_heartbeat_due = True
        self._woken.set()

    async def _write_what_came(self) -> None:
        batches = [watcher.take() for _, watcher in self._sources]
        if any(batch.is_reset for batch in batches):
            for place, batch in enumerate(batches):
                if batch.is_reset:
                    self._places[place] = token_of(batch.position)
            await self._write(self._with_id(frames.RESET))
        for place, ((feed, _), batch) in enumerate(zip(self._sources, batches, strict=True)):
            for piece in batch.pieces(_PIECE_BYTES):
                if piece.items:
                    await self._write(b"".join(self._lines(place, piece)))
                    feed.delivered(piece)
            self._places[place] = token_of(batch.position)

    def _lines(self, place: int, piece: Batch[Frame]) -> Iterator[bytes]:
        for item in piece.items:
            self._places[place] = token_of(item.position)
            yield self._with_id(item.value.text())

    def _with_id(self, frame: bytes) -> bytes:
        return b"id: %b\n%b" % (self._id().encode(), frame)

    def _id(self) -> str:
        return _BETWEEN.join(self._places)

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        # Without a limit where none can be reached: it costs as much as all the rest.
        async with asyncio.timeout(SEND_SECONDS) if self._connection.is_congested else nullcontext():
            await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _places(last_event_id: str | None) -> tuple[StreamId | None, StreamId | None]:
    if not last_event_id:
        return None, None
    tasks, _, notifications = last_event_id.partition(_BETWEEN)
    return stream_id_of(tasks) or _BEFORE_ALL, stream_id_of(notifications) or _BEFORE_ALL
