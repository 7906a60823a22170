"""The probe of the containers' health checks, run as they run it."""

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
    _, told = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode, told.decode()


async def _away() -> None:
    raise ConnectionError("the store is away")


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """The port of a server that takes connections and never answers."""
    server = await asyncio.start_server(lambda _, writer: silent_ones.append(writer), "127.0.0.1", free_port())
    silent_ones: list[asyncio.StreamWriter] = []
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in silent_ones:
        writer.close()


@pytest.fixture
async def answering() -> AsyncIterator[int]:
    """The port of a server that answers /good by 200, and all else by 503."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        status = "200 OK" if b" /good " in await reader.readline() else "503 No"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", free_port()) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_service_whose_store_is_away_lives_and_is_not_ready() -> None:
    async with mesh_server(ready=_away) as server:
        assert await _probe(f"grpc://{server.target}") == (0, "")
        code, told = await _probe(f"grpc://{server.target}/{SERVICE}")
        assert (code, told) == (1, f"grpc://{server.target}/{SERVICE} says NOT_SERVING\n")


async def test_a_service_that_can_work_is_ready() -> None:
    async with mesh_server() as server:
        for _ in range(100):
            code, told = await _probe(f"grpc://{server.target}/{SERVICE}")
            if code == 0:
                return
        pytest.fail(told)


async def test_a_service_that_it_does_not_have_is_not_well() -> None:
    async with mesh_server() as server:
        code, told = await _probe(f"grpc://{server.target}/another.Service")
    assert code == 1
    assert "NOT_FOUND" in told


async def test_over_http_only_200_is_well(answering: int) -> None:
    assert await _probe(f"http://127.0.0.1:{answering}/good") == (0, "")
    code, told = await _probe(f"http://127.0.0.1:{answering}/readyz")
    assert (code, told) == (1, f"http://127.0.0.1:{answering}/readyz answers 503\n")


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_nobody_there_is_not_well(scheme: str) -> None:
    code, told = await _probe(f"{scheme}://127.0.0.1:{free_port()}/a")
    assert code == 1
    assert "refused" in told


@pytest.mark.parametrize("scheme", ["grpc", "http"])
async def test_one_that_hangs_is_not_waited_for(scheme: str, silent: int) -> None:
    begun = asyncio.get_running_loop().time()
    code, told = await _probe(f"{scheme}://127.0.0.1:{silent}/a")
    assert code == 1
    assert "timed out" in told or "DEADLINE_EXCEEDED" in told
    assert asyncio.get_running_loop().time() - begun < 10


@pytest.mark.parametrize(
    "arguments", [[], ["a", "b"], ["ftp://a:1"], ["grpc://a"], ["http:///healthz"], ["http://a:99999/"]]
)
async def test_a_wrong_call_is_told_from_a_bad_state(arguments: list[str]) -> None:
    code, told = await _probe(*arguments)
    assert code == 2
    assert told.startswith("usage: ")
