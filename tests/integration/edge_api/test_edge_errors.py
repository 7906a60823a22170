"""Responses, logs and metrics of the edge when a service fails, is slow or is unavailable."""

import asyncio
import json
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from chassis.errors import AlreadyExists, Conflict, DeadlineExceeded, Internal, NotFound, Unauthenticated, Unavailable
from chassis.identity import MeshTokens
from tests.support.edge_api.edge import TOKEN, Edge, edge_with_fakes, running_edge
from tests.support.edge_api.fake_services import Fakes
from tests.support.holding import until
from tests.support.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

TASKS = "/api/v1/tasks"
ABSENT = f"{TASKS}/01JD0000000000000000000000"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Edge, Fakes]]:
    async with edge_with_fakes(call_timeout_seconds=2, max_in_flight=4) as both:
        yield both


@pytest.fixture
def running(served: tuple[Edge, Fakes]) -> tuple[Edge, Fakes]:
    served[1].reset()
    return served


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("TASK_NOT_FOUND", "No such task."), 404),
        (AlreadyExists("NOT_DELETED", "It is not deleted."), 409),
        (Conflict("ETAG_MISMATCH", "It has changed."), 412),
        (Unauthenticated("NO_USER", "Nobody."), 401),
        (Unavailable("STORE_AWAY", "The store is away."), 503),
        (DeadlineExceeded("DEADLINE_EXCEEDED", "Too late."), 504),
    ],
)
async def test_an_error_of_a_service_reaches_the_client(
    running: tuple[Edge, Fakes], error: Exception, status: int
) -> None:
    edge, fakes = running
    fakes.tasks.behaviour.errors = [error]
    answer = await edge.client.delete(ABSENT)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert (problem["reason"], problem["detail"]) == (error.reason, str(error))  # type: ignore[attr-defined]
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("error", [Internal("INTERNAL", "mongodb://secret"), RuntimeError("mongodb://secret")])
async def test_a_defect_of_a_service_is_500_without_its_message(running: tuple[Edge, Fakes], error: Exception) -> None:
    edge, fakes = running
    fakes.tasks.behaviour.errors = [error]
    answer = await edge.client.delete(ABSENT)
    assert (answer.status_code, answer.json()["reason"]) == (500, "INTERNAL")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, 403),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429),
        (grpc.StatusCode.UNIMPLEMENTED, 501),
        (grpc.StatusCode.UNKNOWN, 500),
        (grpc.StatusCode.CANCELLED, 500),
        (grpc.StatusCode.DATA_LOSS, 500),
        (grpc.StatusCode.NOT_FOUND, 404),
    ],
)
async def test_a_status_without_details_has_a_reason_but_not_its_message(
    running: tuple[Edge, Fakes], code: grpc.StatusCode, status: int
) -> None:
    edge, fakes = running
    fakes.tasks.behaviour.abort = (code, "ipv4:10.0.0.7:50051")
    answer = await edge.client.delete(ABSENT)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["reason"] == ("INTERNAL" if status == 500 else code.name)
    assert "10.0.0.7" not in answer.text


async def test_a_defect_of_the_edge_is_500_and_logged_once(
    running: tuple[Edge, Fakes], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    edge, fakes = running
    fakes.notifications.page.notifications.add(kind=99)  # an unknown kind
    capsys.readouterr()
    answer = await edge.client.get("/api/v1/notifications")
    assert (answer.status_code, answer.json()["reason"]) == (500, "INTERNAL")
    assert answer.json()["request_id"] in capsys.readouterr().out
    assert caplog.records == []  # uvicorn logs nothing


async def test_a_service_that_does_not_respond_is_504_in_time(running: tuple[Edge, Fakes]) -> None:
    edge, fakes = running
    fakes.tasks.behaviour.release = asyncio.Event()
    begun = asyncio.get_running_loop().time()
    answer = await edge.client.get(TASKS)
    assert answer.status_code == 504
    assert asyncio.get_running_loop().time() - begun < 4


async def test_unavailable_services_are_503_until_they_are_available() -> None:
    async with running_edge(MeshTokens([TOKEN]), free_port(), free_port()) as edge:
        for path in (TASKS, "/api/v1/notifications"):
            answer = await edge.client.get(path)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.json()["reason"] == "UNAVAILABLE"
            assert "127.0.0.1" not in answer.text
        ready = await edge.client.get("/readyz")
        assert (ready.status_code, ready.json()["services"]["task.v1.TaskService"]) == (503, "UNAVAILABLE")
        assert (await edge.client.get("/healthz")).status_code == 200


async def test_more_requests_than_allowed_are_503_and_probes_still_pass(running: tuple[Edge, Fakes]) -> None:
    edge, fakes = running
    release = fakes.tasks.behaviour.release = asyncio.Event()
    waiting = [asyncio.create_task(edge.client.get(TASKS)) for _ in range(4)]
    async with asyncio.timeout(2):
        while len(fakes.tasks.behaviour.requests) < 4:
            await fakes.tasks.behaviour.entered.wait()
            await asyncio.sleep(0)
    refused = await edge.client.get(TASKS)
    assert (refused.status_code, refused.json()["reason"]) == (503, "TOO_BUSY")
    assert (await edge.client.get("/healthz")).status_code == 200
    release.set()
    assert {(await each).status_code for each in waiting} == {200}
    assert (await edge.client.get(TASKS)).status_code == 200


async def begin_body(edge: Edge) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(edge.url).port)
    head = f"POST {TASKS} HTTP/1.1\r\nHost: x\r\nX-Mesh-Token: {TOKEN}\r\nX-Consumer-Username: ada\r\n"
    writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{{".encode())
    return reader, writer


async def test_a_client_that_leaves_before_its_body_ends_is_no_error_of_the_edge(running: tuple[Edge, Fakes]) -> None:
    edge, _ = running
    _, writer = await begin_body(edge)

    def finished(status: str) -> float:
        labels = {"method": "POST", "route": TASKS, "status": status}
        return edge.registry.get_sample_value("http_requests_total", labels) or 0

    before, errors = finished("400"), finished("500")
    await until(lambda: edge.registry.get_sample_value("http_requests_in_flight") == 1)
    writer.close()
    await until(lambda: finished("400") == before + 1)
    assert finished("500") == errors


async def test_a_body_that_never_ends_is_408(running: tuple[Edge, Fakes]) -> None:
    edge, _ = running
    reader, writer = await begin_body(edge)
    async with asyncio.timeout(5):
        assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_readiness_lists_both_services_but_requires_only_the_task_service() -> None:
    async with edge_with_fakes() as (edge, fakes):
        answer = await edge.client.get("/readyz")
        assert answer.json() == {
            "status": "ready",
            "services": {"task.v1.TaskService": "SERVING", "notify.v1.NotificationService": "SERVING"},
        }
        edge.draining.begun = True
        assert (await edge.client.get("/readyz")).json()["reason"] == "DRAINING"
        assert (await edge.client.get("/healthz")).status_code == 200
        async with running_edge(MeshTokens([TOKEN]), fakes.task_port, free_port()) as half:
            answer = await half.client.get("/readyz")
            assert answer.status_code == 200
            assert answer.json()["services"]["notify.v1.NotificationService"] == "UNAVAILABLE"


async def test_metrics_are_labelled_by_template_and_known_methods_only() -> None:
    async with edge_with_fakes() as (edge, _):
        await edge.client.get(f"{TASKS}/one")
        await edge.client.get(f"{TASKS}/two")
        await edge.client.get("/made/up")
        await edge.client.request("BREW", TASKS)
        counted = {labels: value for labels, value in _samples(edge.registry, "http_requests_total").items() if value}
        # A request with an unknown HTTP method does not reach the application.
        assert counted == {("GET", "/api/v1/tasks/{id}", "404"): 2, ("GET", "unmatched", "404"): 1}
        assert edge.registry.get_sample_value("http_requests_in_flight") == 0


async def test_the_counters_of_documented_responses_start_at_zero() -> None:
    async with edge_with_fakes() as (edge, _):
        document = (await edge.client.get("/api/openapi.json")).json()
        samples = _samples(edge.registry, "http_requests_total")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert {"500", "503", "504"} <= operation["responses"].keys()
            assert {samples[method.upper(), path, status] for status in operation["responses"]} == {0}


async def test_each_request_is_one_log_line_with_user_and_duration(
    running: tuple[Edge, Fakes], capsys: pytest.CaptureFixture[str]
) -> None:
    edge, _ = running
    capsys.readouterr()
    await edge.client.get(f"{TASKS}/{'x' * 5000}")
    lines = [line for line in capsys.readouterr().out.splitlines() if "request " in line and "route=" in line]
    assert len(lines) == 1
    assert "user=ada" in lines[0]
    assert "route=/api/v1/tasks/{id}" in lines[0]
    assert len(lines[0]) < 1000


@pytest.mark.parametrize("id", ["short", "x" * 65, "has space!", "${jndi:ldap://x}", 'a"b"c"d"e'])
async def test_a_malformed_request_id_is_replaced(running: tuple[Edge, Fakes], id: str) -> None:
    edge, _ = running
    answer = await edge.client.get("/nope", headers={"X-Request-ID": id})
    assert answer.headers["X-Request-ID"] != id
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


async def test_every_response_forbids_sniffing_and_storing(running: tuple[Edge, Fakes]) -> None:
    edge, _ = running
    for path in (TASKS, "/nope", "/api/v1/session"):
        answer = await edge.client.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_documentation_loads_nothing_from_other_origins(running: tuple[Edge, Fakes]) -> None:
    edge, _ = running
    async with httpx.AsyncClient(base_url=edge.url) as anybody:
        page = await anybody.get("/api/docs")
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "//" not in page.text.replace("<!doctype html>", "")
        for part in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
            assert f"/api/docs/{part}" in page.text
            assert (await anybody.get(f"/api/docs/{part}")).status_code == 200
        assert json.loads((await anybody.get("/api/openapi.json")).text)["openapi"].startswith("3.1")


def _samples(registry: CollectorRegistry, name: str) -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize(
    "request_text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\x1bb\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"BREW / HTTP/1.1\r\n\r\n",
    ],
)
async def test_malformed_http_gets_a_problem_and_the_connection_is_closed(
    running: tuple[Edge, Fakes], request_text: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(running[0].url).port)
    writer.write(request_text)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["reason"] == "MALFORMED_HTTP"
