"""What `make verify` asks over HTTP is not satisfied by whatever answers."""

from collections.abc import Awaitable, Callable

import grpc
import httpx
import pytest

from scripts.doctor.diagnosis import DEV, Diagnosis
from scripts.doctor.findings import Finding, State
from scripts.verify import http_promises
from scripts.verify.promises import PHASES
from scripts.verify.system import Broken, System, eventually

Answer = Callable[[httpx.Request], httpx.Response]
_TASK = {"id": "01JD0000000000000000000000", "user": "demo"}


def _everything_is_fine(request: httpx.Request) -> httpx.Response:
    return httpx.Response(201 if request.method == "POST" else 200, json={"status": "alive", "user": "demo", **_TASK})


def _nothing_is_let_in(_: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={})


def _system(answer: Answer, *findings: Finding, is_well: bool = False) -> System:
    http = httpx.AsyncClient(base_url="http://gateway", transport=httpx.MockTransport(answer))
    channel = grpc.aio.insecure_channel("127.0.0.1:1")
    return System(Diagnosis(findings, is_well, "not all is well"), http, channel, in_containers=False, ports={})


@pytest.mark.parametrize(
    ("promise", "answer", "seen"),
    [
        (http_promises.strangers, _everything_is_fine, "answers 200, not 401"),
        (http_promises.strangers, _nothing_is_let_in, "application/json, not application/problem"),
        (http_promises.names, _everything_is_fine, "a key of guest calls as demo"),
        (http_promises.inside, _everything_is_fine, "/healthz of the edge is to be had"),
        (http_promises.sizes, _everything_is_fine, "answers 201, not 413"),
        (http_promises.counted, _everything_is_fine, "does not tell how many"),
        (http_promises.page, _everything_is_fine, "may be shown in a frame"),
        (http_promises.page, _nothing_is_let_in, "answers 401, not 200"),
        (http_promises.session, _everything_is_fine, "the cookie is not closed"),
        (http_promises.other_sites, _everything_is_fine, "answers 201, not 403"),
        (http_promises.events, _nothing_is_let_in, "answers 401, not 200"),
        (http_promises.told, _nothing_is_let_in, "answers 401, not 201"),
    ],
)
async def test_a_promise_that_is_broken_is_seen(
    promise: Callable[[System], Awaitable[None]], answer: Answer, seen: str
) -> None:
    with pytest.raises(Broken) as broken:
        await promise(_system(answer))
    assert seen in str(broken.value)


async def test_what_doctor_finds_bad_or_not_at_all_is_not_well() -> None:
    bad = Finding(DEV, "queue", State.BAD, "does not answer", "start it")
    system = _system(_everything_is_fine, bad)
    with pytest.raises(Broken, match=r"queue: does not answer \(start it\)"):
        system.is_well("queue")
    with pytest.raises(Broken, match="tasks is not there"):
        system.is_well("tasks")
    with pytest.raises(Broken):
        system.group_is_well(DEV)


async def test_what_never_comes_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.verify.system._SECONDS", 0.2)

    async def nothing() -> None:
        return None

    with pytest.raises(Broken, match="too late"):
        await eventually(nothing, "too late")


def test_every_phase_of_the_course_promises_something() -> None:
    assert sorted(PHASES) == [1, 2, 3, 4, 5, 6, 7]
