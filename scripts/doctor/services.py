"""The services, asked as the rest of the mesh asks them: gRPC health, the edge's probes, the pages of metrics."""

from typing import Any

import grpc
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families

from scripts.doctor.findings import SECONDS, Answer, Away, timed

_LOOK = "look at what it has logged; without its store or queue it waits for that"


async def grpc_service(target: str, service: str) -> Answer:
    """Whether the process lives, and whether it can do that service's work."""
    async with grpc.aio.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
        try:
            lives, seconds = await timed(lambda: check(health_pb2.HealthCheckRequest(), timeout=SECONDS))
            ready = await check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                raise Away("nobody answers by gRPC") from error
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                raise TimeoutError from error
            msg = f"something else answers there: {error.code().name}"
            raise Away(msg) from error
    serving = health_pb2.HealthCheckResponse.SERVING
    if lives.status != serving:
        return Answer("is stopping", "start it again")
    if ready.status != serving:
        return Answer("lives and is not ready", _LOOK, seconds=seconds)
    return Answer(f"{service} is SERVING", seconds=seconds)


async def edge(url: str) -> Answer:
    """Whether the edge lives, is ready, and which version of the API it serves."""
    async with _client(url) as client:
        lives, seconds = await timed(lambda: _json(client, "/healthz"))
        if lives != (200, {"status": "alive"}):
            raise Away("something else answers there")
        status, ready = await _json(client, "/readyz")
        _, openapi = await _json(client, "/api/openapi.json")
    version = f"API {openapi.get('info', {}).get('version', '?')}"
    states = ready.get("services", {})
    away = [name for name, state in states.items() if state != "SERVING"]
    if status != httpx.codes.OK or away:
        says = f"lives; {', '.join(away)} away" if away else f"lives; {ready.get('detail', 'not ready')}"
        return Answer(says, "mend what it needs, it comes back by itself", version, seconds)
    return Answer("lives and is ready", version=version, seconds=seconds)


async def gateway(url: str) -> Answer:
    """Whether the gateway is at its door: a stranger must not get past it."""
    async with _client(url) as client:
        answer, seconds = await timed(lambda: _get(client, "/api/v1/session"))
    if answer.status_code not in (httpx.codes.UNAUTHORIZED, httpx.codes.TOO_MANY_REQUESTS):
        return Answer(f"answers a stranger by {answer.status_code}", "something else is on this port", seconds=seconds)
    return Answer("lets no stranger in", seconds=seconds)


async def web(url: str) -> Answer:
    """Whether the page is served, to the gateway."""
    async with _client(url) as client:
        page, seconds = await timed(lambda: _get(client, "/"))
    if page.is_server_error:
        cure = "look at what it has logged: an error in web/src, most likely"
        return Answer(f"/ answers {page.status_code}", cure, seconds=seconds)
    if page.status_code != httpx.codes.OK or not page.headers.get("content-type", "").startswith("text/html"):
        return Answer(f"/ answers {page.status_code} and no page", "something else is on this port", seconds=seconds)
    return Answer("serves the page", seconds=seconds)


async def metrics(url: str) -> Answer:
    """Whether a page of metrics is there to be scraped."""
    async with _client(url) as client:
        page, seconds = await timed(lambda: _get(client, "/metrics"))
    if page.status_code != httpx.codes.OK:
        return Answer(f"/metrics answers {page.status_code}", "something else is on this port")
    samples = sum(len(family.samples) for family in text_string_to_metric_families(page.text))
    return Answer(f"{samples} samples", seconds=seconds)


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False)


async def _get(client: httpx.AsyncClient, path: str) -> httpx.Response:
    try:
        return await client.get(path)
    except httpx.ConnectError as error:
        raise Away("nobody answers by HTTP") from error
    except httpx.TimeoutException as error:
        raise TimeoutError from error


async def _json(client: httpx.AsyncClient, path: str) -> tuple[int, dict[str, Any]]:
    answer = await _get(client, path)
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return answer.status_code, body if isinstance(body, dict) else {}
