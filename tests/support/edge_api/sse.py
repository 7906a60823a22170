"""A client of server-sent events that reads them as the standard says (WHATWG HTML, 9.2.6)."""

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
    """An event as a page would see it."""

    name: str
    data: Any
    id: str


class EventSource:
    """One open answer: `last_id` and `retry` are what a browser would go on with."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""
        self.retry: int | None = None
        self.comments: list[str] = []
        self._lines = answer.aiter_lines()

    async def block(self) -> Event | None:
        """The next block of lines: an event, or None where it only has a comment, an id or a retry.

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
                    raise AssertionError(f"a line that is none of ours: {line!r}")
        self.last_id = event_id
        return Event(name, json.loads("\n".join(data)), event_id) if data else None

    async def next(self, within: float = 10) -> Event:
        """The next event."""
        async with asyncio.timeout(within):
            while (event := await self.block()) is None:
                pass
            return event

    async def begun(self) -> None:
        """Returns when the stream has told where it begins."""
        async with asyncio.timeout(10):
            while not self.last_id:
                assert await self.block() is None

    async def ended(self, within: float = 10) -> list[Event]:
        """What still comes until the clean end of the stream."""
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
    """Opens the stream of events; without `last_event_id` it is used once the stream has told where it begins."""
    given = dict(headers or {})
    if last_event_id is not None:
        given["Last-Event-ID"] = last_event_id
    async with client.stream("GET", EVENTS, headers=given, timeout=30) as answer:
        assert answer.status_code == 200, await answer.aread()
        source = EventSource(answer)
        if last_event_id is None:
            await source.begun()
        yield source
