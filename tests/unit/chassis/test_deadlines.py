"""The deadline of a call, and how the code under it sees the deadline."""

import time

import pytest

from chassis.grpc_api import deadlines
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import METHODS, UNARY_RESPONSES, Context, ask

STREAMS = tuple(method for method in METHODS if method not in UNARY_RESPONSES)


async def left_in(method: str, timeout: float | None, default: float = 4) -> float | None:
    """Return the result of `deadlines.remaining` inside a call."""
    seen: list[float | None] = []

    async def look(_context: Context) -> None:
        seen.append(deadlines.remaining())

    async with mesh_server(look, default_deadline=default) as mesh:
        await ask(mesh.channel, method, timeout=timeout)
    return seen[0]


@pytest.mark.parametrize("method", UNARY_RESPONSES)
async def test_a_call_without_a_deadline_has_the_default_one(method: str) -> None:
    left = await left_in(method, None)
    assert left is not None
    assert 3 < left <= 4


@pytest.mark.parametrize("timeout", [2.0, 60.0])
@pytest.mark.parametrize("method", METHODS)
async def test_a_deadline_of_the_client_replaces_the_default(method: str, timeout: float) -> None:
    left = await left_in(method, timeout)
    assert left is not None
    assert timeout - 1 < left <= timeout * 1.04 + 0.1  # grpc rounds deadlines


@pytest.mark.parametrize("method", STREAMS)
async def test_a_stream_without_a_deadline_has_none(method: str) -> None:
    assert await left_in(method, None) is None


def test_outside_a_request_there_is_no_deadline() -> None:
    assert deadlines.remaining() is None
    assert deadlines.at(30) - time.monotonic() == pytest.approx(30, abs=1)


async def test_a_deadline_is_on_the_monotonic_clock() -> None:
    deadlines.set_remaining(10)
    at, remaining = deadlines.at(30), deadlines.remaining()
    assert remaining is not None
    assert at - time.monotonic() == pytest.approx(remaining, abs=0.1)
