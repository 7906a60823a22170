"""Every stream gets one heartbeat per interval, at different times even if the streams started together."""

import asyncio
from collections import Counter
from contextlib import ExitStack

import pytest

from chassis.background_jobs import end
from edge_api.sse.heartbeats import Heartbeats
from tests.support.holding import until


async def test_every_stream_gets_a_heartbeat_per_interval_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_api.sse.heartbeats.HEARTBEAT_SECONDS", 0.05)
    heartbeats = Heartbeats()
    beats: Counter[str] = Counter()
    running = asyncio.create_task(heartbeats.run())
    with heartbeats.each(lambda: beats.update(["stays"])):
        with heartbeats.each(lambda: beats.update(["leaves"])):
            await until(lambda: beats["leaves"] >= 3)
        left = beats.copy()
        await until(lambda: beats["stays"] >= left["stays"] + 3)
    await end([running])

    assert abs(left["stays"] - left["leaves"]) <= 1
    assert beats["leaves"] == left["leaves"]


async def test_streams_that_start_together_get_heartbeats_at_different_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_api.sse.heartbeats.HEARTBEAT_SECONDS", 0.15)
    heartbeats = Heartbeats()
    turn = 0
    beats: Counter[int] = Counter()
    with ExitStack() as streams:
        for _ in range(300):
            streams.enter_context(heartbeats.each(lambda: beats.update([turn])))
        running = asyncio.create_task(heartbeats.run())
        while beats.total() < 300:
            await asyncio.sleep(0)
            turn += 1
        await end([running])
    assert set(beats.values()) == {2}
