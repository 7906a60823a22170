"""No check of `make verify` passes on a system that does everything wrong."""

from collections.abc import Callable
from functools import partial

import grpc
import httpx
import pytest

from scripts.doctor.findings import DEV, MACHINE, PORTS, Finding, Report, State, run
from scripts.doctor.phases import PHASES
from scripts.doctor.system import System

_CHECKS = {title: check for checks in PHASES.values() for title, check in checks.items()}
_BAD = [Finding(group=group, part="queue", state=State.BAD) for group in (MACHINE, PORTS, DEV)]


def _accept(request: httpx.Request) -> httpx.Response:
    status = 201 if request.method == "POST" else 200
    return httpx.Response(status, json={"status": "alive", "user": "demo", "id": "1", "notifications": []})


def _reject(_: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"status": "rejected"})


@pytest.mark.parametrize("gateway", [_accept, _reject])
@pytest.mark.parametrize("title", _CHECKS)
async def test_a_broken_promise_fails_its_check(title: str, gateway: Callable[[httpx.Request], httpx.Response]) -> None:
    async with (
        httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(gateway)) as http,
        grpc.aio.insecure_channel("127.0.0.1:1") as channel,
    ):
        system = System(Report(_BAD, False, "not well", running=[DEV]), http, channel, {})
        found = await run(partial(_CHECKS[title], system), 1, "")
    assert found.state is (State.NOTE if "dashboards" in title else State.BAD)
