"""A client that parses server-sent events by the standard (WHATWG HTML, 9.2.6)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

EVENTS = "/api/v1/events"


@dataclass(frozen=True)
class Event:
    """An event as a page sees it."""

    name: str
    data: Any
    id: str


class EventSource:
    """An open stream; a browser would reconnect with `last_id` after `retry` milliseconds."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self.retry: int | None = None
        self.comments: list[str] = []
        self._lines = answer.aiter_lines()

    async def block(self) -> Event | None:
        """Return the event of the next block of lines, or None if the block has only a comment, an id or a retry.

        Raises StopAsyncIteration when the stream has ended cleanly.
        """
        name, data, event_id = "message", list[str](), self.last_id
        while line := await anext(self._lines):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match field:
                case "":
                    self.comments.append(value)
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "id":
                    event_id = value
                case "retry":
                    self.retry = int(value)
                case _:
                    raise AssertionError(f"unexpected line: {line!r}")
        self.last_id = event_id
        return Event(name, json.loads("\n".join(data)), event_id) if data else None

    async def next(self, within: float = 10) -> Event:
        """Return the next event."""
        async with asyncio.timeout(within):
            while (event := await self.block()) is None:
                pass
            return event

    async def begun(self) -> None:
        """Wait until the stream has sent its first id."""
        async with asyncio.timeout(10):
            while not self.last_id:
                assert await self.block() is None

    async def ended(self, within: float = 10) -> list[Event]:
        """Wait for the clean end of the stream; return the events until then."""
        events: list[Event] = []
        async with asyncio.timeout(within):
            while True:
                try:
                    event = await self.block()
                except StopAsyncIteration:
                    return events
                if event is not None:
                    events.append(event)


@asynccontextmanager
async def event_source(
    client: httpx.AsyncClient, last_event_id: str | None = None, headers: dict[str, str] | None = None
) -> AsyncIterator[EventSource]:
    """Open the stream of events. Without `last_event_id`, wait until the stream has sent its first id."""
    given = dict(headers or {})
    if last_event_id is not None:
        given["Last-Event-ID"] = last_event_id
    async with client.stream("GET", EVENTS, headers=given, timeout=30) as answer:
        assert answer.status_code == 200, await answer.aread()
        source = EventSource(answer)
        if last_event_id is None:
            await source.begun()
        yield source
