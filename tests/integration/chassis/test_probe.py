"""The probe for health checks of containers, run as a command."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import SERVICE
from tests.support.ports import free_port


async def _probe(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chassis.probe", *arguments, stderr=asyncio.subprocess.PIPE
    )
    _, output = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, output.decode()


async def _unavailable() -> None:
    raise ConnectionError("the store is unavailable")


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that accepts connections and never responds."""
    server = await asyncio.start_server(lambda _, writer: silent_ones.append(writer), "127.0.0.1", free_port())
    silent_ones: list[asyncio.StreamWriter] = []
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in silent_ones:
        writer.close()


@pytest.fixture
async def answering() -> AsyncIterator[int]:
    """The port of a server that responds with 200 to /good, and with 503 to other paths."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = "200 OK" if b" /good " in await reader.readline() else "503 No"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", free_port()) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_service_without_its_store_is_live_but_not_ready() -> None:
    async with mesh_server(ready=_unavailable) as server:
        assert await _probe(f"grpc://{server.target}") == (0, "")
        code, output = await _probe(f"grpc://{server.target}/{SERVICE}")
        assert (code, output) == (1, f"grpc://{server.target}/{SERVICE}: the status is NOT_SERVING\n")


async def test_a_service_with_its_store_is_ready() -> None:
    async with mesh_server() as server:
        for _ in range(100):
            code, output = await _probe(f"grpc://{server.target}/{SERVICE}")
            if code == 0:
                return
        pytest.fail(output)


async def test_an_unknown_service_is_unhealthy() -> None:
    async with mesh_server() as server:
        code, output = await _probe(f"grpc://{server.target}/another.Service")
    assert code == 1
    assert "NOT_FOUND" in output


async def test_over_http_only_200_is_healthy(answering: int) -> None:
    assert await _probe(f"http://127.0.0.1:{answering}/good") == (0, "")
    code, output = await _probe(f"http://127.0.0.1:{answering}/readyz")
    assert (code, output) == (1, f"http://127.0.0.1:{answering}/readyz: the status is 503, not 200\n")


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_a_process_that_does_not_listen_is_unhealthy(scheme: str) -> None:
    code, output = await _probe(f"{scheme}://127.0.0.1:{free_port()}/a")
    assert code == 1
    assert "refused" in output


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_an_unresponsive_process_is_unhealthy_after_a_timeout(scheme: str, silent: int) -> None:
    begun = asyncio.get_running_loop().time()
    code, output = await _probe(f"{scheme}://127.0.0.1:{silent}/a")
    assert code == 1
    assert "timed out" in output or "DEADLINE_EXCEEDED" in output
    assert asyncio.get_running_loop().time() - begun < 10


@pytest.mark.parametrize(
    "arguments", [[], ["a", "b"], ["ftp://a:1"], ["grpc://a"], ["http:///healthz"], ["http://a:99999/"]]
)
async def test_a_usage_error_has_its_own_exit_status(arguments: list[str]) -> None:
    code, output = await _probe(*arguments)
    assert code == 2
    assert output.startswith("usage: ")
