"""GET /api/v1/events of a real edge, with real streams from both services."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from notify.v1 import notify_pb2
from task.v1 import task_pb2

from chassis.feed.feed import Feed
from chassis.feed.watcher import Item
from chassis.identity import MeshTokens
from tests.support.edge_api.edge import TOKEN, Edge, as_user, edge_with_fakes, running_edge
from tests.support.edge_api.fake_services import BEGUN, Fakes, running_fakes
from tests.support.edge_api.sse import EVENTS, event_source
from tests.support.eventually import eventually
from tests.support.leaks import left_behind, open_files
from tests.support.notify_svc.task_events import created, task_id
from tests.support.ports import free_port

NASTY = (
    '<img src=x onerror="alert(1)">',
    "first\n\ndata: {}\n\nevent: reset",
    "first\r\rid: 9-9~9-9\rdata: x",
    "javascript:alert(1)",
    "\u2028data: x\u2029",
    "\x00",
)


@pytest.fixture
async def mesh() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes() as running:
        yield running


def next_position(feed: Feed[Any]) -> tuple[int, int]:
    assert feed.position is not None
    return (feed.position[0] + 1, 0)


def task_event(fakes: Fakes, number: int, owner: str = "ada", title: str = "Buy milk", kind: int = 1) -> None:
    """Publish that a task of the owner was created (kind 1), updated (2) or deleted (3)."""
    event = created(number, owner, title)
    event.type = kind  # type: ignore[assignment]
    event.task.status = task_pb2.TASK_STATUS_TODO
    event.task.priority = task_pb2.TASK_PRIORITY_LOW
    fakes.task_feed.append(Item(next_position(fakes.task_feed), owner, 0.0, event.ByteSize(), event))


async def received(edge: Edge, fakes: Fakes) -> None:
    """Wait until the edge has received all task events."""

    async def is_there() -> bool:
        return edge.live.tasks.position == fakes.task_feed.position

    await eventually(is_there)


def watchers(edge: Edge) -> float | None:
    return edge.registry.get_sample_value("watchers", {"feed": "tasks"})


async def watchers_become(edge: Edge, count: int) -> None:
    """Wait until there are so many watchers; the server notices a disconnected client with a delay."""

    async def are() -> bool:
        return watchers(edge) == count

    await eventually(are)


def notified(fakes: Fakes, number: int, owner: str = "ada", title: str = "Buy milk") -> None:
    notification = notify_pb2.Notification(
        id=created(number).event_id,
        kind=notify_pb2.NOTIFICATION_KIND_TASK_CREATED,
        task_id=task_id(number),
        title=title,
    )
    fakes.notification_feed.append(Item(next_position(fakes.notification_feed), owner, 0.0, 100, notification))


async def test_head_responds_without_a_stream(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    task_event(fakes, 1)
    await received(edge, fakes)
    answer = await edge.client.head(EVENTS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    await watchers_become(edge, 0)


async def test_both_streams_are_merged_with_events_as_in_rest_and_ids_of_both(
    mesh: tuple[Edge, Fakes],
) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        assert source.answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert source.answer.headers["x-accel-buffering"] == "no"
        assert source.answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in source.answer.headers
        for number, kind in enumerate((1, 2, 3), start=1):
            task_event(fakes, number, title=f"Task {number}", kind=kind)
            event = await source.next()
            assert event.name == ("task.created", "task.updated", "task.deleted")[number - 1]
            assert (event.data["id"], event.data["title"]) == (task_id(number), f"Task {number}")
            assert {"status": "TODO", "due_time": None, "revision": 1}.items() <= event.data.items()
        notified(fakes, 1)
        event = await source.next()
        assert (event.name, event.data["task_id"], event.data["kind"]) == ("notification", task_id(1), "TASK_CREATED")
        assert event.id == f"{BEGUN[0] + 3}-0~{BEGUN[0] + 1}-0"


async def test_a_user_gets_no_events_of_another_user(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as adas, event_source(edge.client, headers=as_user("bob")) as bobs:
        task_event(fakes, 1, "ada", "Ada's")
        notified(fakes, 1, "ada")
        task_event(fakes, 2, "bob", "Bob's")
        assert (await bobs.next()).data["title"] == "Bob's"
        assert {(await adas.next()).name for _ in range(2)} == {"task.created", "notification"}


async def test_a_client_that_resumes_gets_each_event_once(
    mesh: tuple[Edge, Fakes],
) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        task_event(fakes, 1)
        notified(fakes, 1)
        last = [await source.next() for _ in range(2)][-1].id
    for number in range(2, 6):
        task_event(fakes, number)
        notified(fakes, number)
    await received(edge, fakes)
    async with event_source(edge.client, last) as again:
        events = [await again.next() for _ in range(8)]
        assert [e.data["id"] for e in events if e.name == "task.created"] == [task_id(n) for n in range(2, 6)]
        assert [e.data["task_id"] for e in events if e.name == "notification"] == [task_id(n) for n in range(2, 6)]
        task_event(fakes, 6)
        assert (await again.next()).data["id"] == task_id(6)


async def test_every_edge_sends_all_events_of_a_user_and_resumes_ids_of_another_edge() -> None:
    async with (
        running_fakes() as fakes,
        running_edge(MeshTokens([TOKEN]), fakes.task_port, fakes.notify_port) as one,
        running_edge(MeshTokens([TOKEN]), fakes.task_port, fakes.notify_port) as two,
    ):
        async with event_source(one.client) as first, event_source(two.client) as second:
            for number in range(1, 51):
                task_event(fakes, number)
            for source in (first, second):
                assert [(await source.next()).data["id"] for _ in range(50)] == [task_id(n) for n in range(1, 51)]
        task_event(fakes, 51)
        async with event_source(two.client, first.last_id) as again:
            assert (await again.next()).data["id"] == task_id(51)


async def test_each_id_resumes_directly_after_its_event(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        beginning = source.last_id
        for number in range(1, 4):
            task_event(fakes, number)
            notified(fakes, number)
        events = [await source.next() for _ in range(6)]
    for count, event_id in enumerate([beginning, *(event.id for event in events)]):
        async with event_source(edge.client, event_id) as again:
            rest = [await again.next() for _ in range(6 - count)]
            seen = [(e.name, e.data["id"]) for e in [*events[:count], *rest]]
            assert sorted(seen) == sorted((e.name, e.data["id"]) for e in events)


@pytest.mark.parametrize("last_id", ["1-0~1-0", "x", "~", "1-0", "9" * 5_000, '"><script>'])
async def test_an_unknown_id_gets_a_reset_first(mesh: tuple[Edge, Fakes], last_id: str) -> None:
    edge, fakes = mesh
    task_event(fakes, 1)
    await received(edge, fakes)
    async with event_source(edge.client, last_id) as source:
        event = await source.next()
        assert (event.name, event.data) == ("reset", {})
        task_event(fakes, 2)
        event = await source.next()
        assert (event.name, event.data["id"]) == ("task.created", task_id(2))


async def test_a_reset_of_a_service_reaches_the_watchers(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        fakes.task_feed.begin((BEGUN[0] + 500, 0))
        assert (await source.next()).name == "reset"
        task_event(fakes, 1)
        event = await source.next()
        assert (event.name, event.id) == ("task.created", f"{BEGUN[0] + 501}-0~{BEGUN[0]}-0")


@pytest.mark.parametrize("title", NASTY)
async def test_no_title_can_inject_an_event(mesh: tuple[Edge, Fakes], title: str) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        task_event(fakes, 1, title=title)
        notified(fakes, 1, title=title)
        task_event(fakes, 2, title="the next")
        events = [await source.next() for _ in range(3)]
        assert [event.data["title"] for event in events if event.data["title"] != "the next"] == [title, title]
        assert {event.name for event in events} == {"task.created", "notification"}


async def test_an_idle_stream_gets_heartbeats_that_advance_the_id(
    mesh: tuple[Edge, Fakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_api.sse.heartbeats.HEARTBEAT_SECONDS", 0.05)
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        task_event(fakes, 1, "bob")

        async with asyncio.timeout(10):
            while source.last_id != f"{BEGUN[0] + 1}-0~{BEGUN[0]}-0":
                assert await source.block() is None
        assert set(source.comments) == {"heartbeat"}


async def test_clients_get_different_reconnection_times(mesh: tuple[Edge, Fakes]) -> None:
    edge, _ = mesh
    pauses = set()
    for _ in range(20):
        async with event_source(edge.client) as source:
            pauses.add(source.retry)
    assert all(pause is not None and 1_000 <= pause <= 5_000 for pause in pauses)
    assert len(pauses) > 10


async def test_a_stream_ends_cleanly_after_its_lifetime_and_its_client_reconnects_soon(
    mesh: tuple[Edge, Fakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.feed.watcher.LIFETIME_SECONDS", (0.1, 0.2))
    edge, _ = mesh
    async with event_source(edge.client) as source:
        assert await source.ended() == []
        assert source.retry == 500


async def test_an_edge_that_stops_ends_its_streams_cleanly(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as first, event_source(edge.client) as second:
        task_event(fakes, 1)
        await first.next()
        edge.live.end()
        assert await first.ended() == []
        assert len(await second.ended()) <= 1
        assert first.retry is not None
        assert first.retry >= 1_000
    async with event_source(edge.client, "1-0~1-0") as late:
        await late.ended()


async def test_an_unknown_caller_cannot_watch_and_too_many_watchers_get_retry_after() -> None:
    async with edge_with_fakes(max_watchers=3, max_watchers_per_user=2) as (edge, _):
        stranger = await edge.client.get(EVENTS, headers={"X-Mesh-Token": "wrong-token-wrong-token"})
        assert stranger.status_code == 401
        unknown = await edge.client.get(EVENTS, params={"from": "now"})
        assert (unknown.status_code, unknown.json()["violations"][0]["field"]) == (422, "from")
        async with event_source(edge.client), event_source(edge.client):
            third = await edge.client.get(EVENTS)
            assert (third.status_code, third.json()["reason"]) == (429, "TOO_MANY_WATCHERS")
            assert third.headers["retry-after"]
            assert third.headers["content-type"] == "application/problem+json"
            async with event_source(edge.client, headers=as_user("bob")):
                fourth = await edge.client.get(EVENTS, headers=as_user("cem"))
                assert (fourth.status_code, fourth.json()["reason"]) == (429, "TOO_MANY_WATCHERS")
        await watchers_become(edge, 0)
        async with event_source(edge.client):
            pass


async def test_an_edge_without_its_feeds_responds_with_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.feed.feed._PATIENCE_SECONDS", 0.05)
    async with running_edge(MeshTokens([TOKEN]), free_port(), free_port()) as edge:
        answer = await edge.client.get(EVENTS)
        assert (answer.status_code, answer.json()["reason"]) == (503, "FEED_UNAVAILABLE")
        assert answer.headers["retry-after"]


async def test_watchers_do_not_count_as_requests_in_flight_and_have_their_own_metrics() -> None:
    async with edge_with_fakes(max_in_flight=1) as (edge, _):
        async with event_source(edge.client), event_source(edge.client):
            assert (await edge.client.get("/api/v1/tasks")).status_code == 200
            assert watchers(edge) == 2
            assert edge.registry.get_sample_value("http_requests_in_flight") == 0
        labels = {"method": "GET", "route": EVENTS}
        assert edge.registry.get_sample_value("http_request_duration_seconds_count", labels) is None


async def test_one_stream_from_each_service_serves_any_number_of_watchers(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    sources = [event_source(edge.client) for _ in range(30)]
    opened = [await source.__aenter__() for source in sources]
    try:
        assert fakes.task_feed._watching == fakes.notification_feed._watching == 1
        task_event(fakes, 1)
        assert {(await source.next()).data["id"] for source in opened} == {task_id(1)}
    finally:
        for source in sources:
            await source.__aexit__(None, None, None)


async def test_no_event_is_lost_while_a_service_restarts(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client) as source:
        fakes.task_feed.end()  # as when the service stops: streams end, and new ones end at once
        task_event(fakes, 1)
        fakes.task_feed._is_over = False
        assert (await source.next(within=20)).data["id"] == task_id(1)


async def test_a_client_that_does_not_read_is_disconnected_and_uses_little_memory(
    mesh: tuple[Edge, Fakes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("edge_api.sse.event_stream.SEND_SECONDS", 0.5)
    edge, fakes = mesh
    port = httpx.URL(edge.url).port
    assert port is not None
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        lazy.setblocking(False)
        await asyncio.get_running_loop().sock_connect(lazy, ("127.0.0.1", port))
        lines = [f"GET {EVENTS} HTTP/1.1", "Host: edge", *(f"{k}: {v}" for k, v in as_user("ada").items())]
        await asyncio.get_running_loop().sock_sendall(lazy, "\r\n".join([*lines, "", ""]).encode())

        await watchers_become(edge, 1)
        async with event_source(edge.client, headers=as_user("bob")) as other:

            async def is_let_go() -> bool:
                for _ in range(20):
                    task_event(fakes, 1, title="x" * 20_000)
                return watchers(edge) == 1

            await eventually(is_let_go, within=30)
            task_event(fakes, 2, "bob")
            assert (await other.next()).data["id"] == task_id(2)
    assert not [record for record in caplog.records if record.levelname == "ERROR"], "one line of ours is enough"


async def test_a_client_that_disconnects_while_its_id_is_waited_for_is_no_longer_a_watcher(
    mesh: tuple[Edge, Fakes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.feed.feed._PATIENCE_SECONDS", 0.3)
    edge, _ = mesh
    ahead = f"{BEGUN[0] + 10}-0~{BEGUN[0]}-0"
    with pytest.raises(httpx.ReadTimeout):
        await edge.client.get(EVENTS, headers={"Last-Event-ID": ahead}, timeout=0.05)

    async def was_watched() -> bool:
        return edge.registry.get_sample_value("watch_resets_total", {"feed": "tasks"}) == 1

    await eventually(was_watched)
    await watchers_become(edge, 0)


async def test_a_thousand_watchers_leak_nothing(mesh: tuple[Edge, Fakes]) -> None:
    edge, fakes = mesh
    async with event_source(edge.client):
        pass

    async def come_and_go(client: httpx.AsyncClient) -> None:
        async with event_source(client):
            pass

    await watchers_become(edge, 0)
    before = len(asyncio.all_tasks()), open_files()
    async with httpx.AsyncClient(base_url=edge.url, headers=as_user("ada")) as client:
        for _ in range(50):
            await asyncio.gather(*(come_and_go(client) for _ in range(20)))
    await watchers_become(edge, 0)
    assert fakes.task_feed._watching == 1
    await left_behind(tasks=before[0], files=before[1])
