"""Asks each process whether it is ready, and says which are not when the time is up."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

Probe = Callable[[], Awaitable[None]]

_PAUSE = 0.1
_ONE_TRY = 1.0


class NotReady(Exception):
    """Some process is not ready; the message says which and why."""


def http_ok(host: str, port: int, path: str) -> Probe:
    """Raises unless a GET of `path` is answered by 200."""

    async def probe() -> None:
        async with asyncio.timeout(_ONE_TRY):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = (await reader.readline()).decode(errors="replace").strip()
            finally:
                writer.close()
        if " 200" not in answer:
            msg = f"http://{host}:{port}{path} answers {answer!r}"
            raise NotReady(msg)

    return probe


def grpc_serving(target: str, service: str) -> Probe:
    """Raises unless the health service at `target` (host:port) says that `service` is SERVING."""

    async def probe() -> None:
        async with grpc.aio.insecure_channel(target, options=[("grpc.enable_http_proxy", 0)]) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=_ONE_TRY)  # type: ignore[attr-defined]
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            msg = f"{service} at {target} is not serving"
            raise NotReady(msg)

    return probe


def listening(host: str, port: int) -> Probe:
    """Raises unless somebody listens on the port."""

    async def probe() -> None:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), _ONE_TRY)
        writer.close()

    return probe


async def all_ready(probes: Mapping[str, Probe], seconds: float) -> None:
    """Waits until every probe, by the name of its process, has passed. Raises NotReady after `seconds`."""
    whys: dict[str, str] = dict.fromkeys(probes, "it was not asked yet")

    async def wait_for(name: str) -> None:
        while whys.get(name):
            try:
                await probes[name]()
            except (OSError, TimeoutError, NotReady) as error:
                whys[name] = str(error) or type(error).__name__
            except grpc.aio.AioRpcError as error:
                whys[name] = f"{error.code().name}: {error.details()}"
            else:
                del whys[name]
                return
            await asyncio.sleep(_PAUSE)

    waits = [asyncio.create_task(wait_for(name)) for name in probes]
    try:
        await asyncio.wait(waits, timeout=seconds)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    if whys:
        lines = "".join(f"\n  {name}: {why}" for name, why in whys.items())
        msg = f"not ready after {seconds:g} s:{lines}"
        raise NotReady(msg)
