"""The dead letters command, run as a process against a real service: its output and exit status."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from notify_svc.storage import redis_keys
from tests import ROOT
from tests.support.eventually import eventually
from tests.support.notify_svc.fake_task_events import FakeTaskEvents, fake_task_events
from tests.support.notify_svc.notifier import FakeChannel, Running, becomes, serving
from tests.support.notify_svc.task_events import created, publish
from tests.support.ports import free_port
from tests.support.valkey import Valkey

TOKEN = "the-token-of-the-mesh"
EVENT_ID = created(1).event_id


@dataclass
class Ended:
    """The exit status and output of the command."""

    status: int
    out: str
    err: str


async def run(target: str, token_file: Path | None, *arguments: str | bytes, **variables: str) -> Ended:
    """Run the command to its end."""
    token = {} if token_file is None else {"MESH_TOKEN_FILE": str(token_file)}
    command = (sys.executable, "-m", "notify_svc.cli.dead_letters", *arguments)
    return await to_its_end(*command, NOTIFY_GRPC_TARGET=target, **token, **variables)


async def to_its_end(*command: str | bytes, **variables: str) -> Ended:
    """Run a program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert process.returncode is not None
    assert b"Traceback" not in err
    return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def tasks() -> AsyncIterator[FakeTaskEvents]:
    async with fake_task_events() as fake:
        yield fake


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel("mail", failures=1)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


@pytest.fixture
async def service(
    valkey: Valkey, tasks: FakeTaskEvents, channel: FakeChannel, token_file: Path
) -> AsyncIterator[Running]:
    async with serving(valkey.url, tasks.target, [channel], max_attempts=1, mesh_token_file=token_file) as running:
        yield running


@pytest.fixture
def command(service: Running, token_file: Path) -> Callable[..., Awaitable[Ended]]:
    async def run_it(*arguments: str | bytes, **variables: str) -> Ended:
        return await run(f"127.0.0.1:{service.settings.grpc_port}", token_file, *arguments, **variables)

    return run_it


Command = Callable[..., Awaitable[Ended]]


async def a_letter_of_each_kind(service: Running) -> tuple[str, str]:
    """Create a dead letter of a delivery and one of an invalid entry; return their keys."""
    (entry,) = await publish(service.redis, created(1))
    await eventually(service.all_acknowledged)
    bad: Any = await service.redis.xadd(redis_keys.EVENTS, {"id": "\x1b[31m", "event": b"\xff"})
    await eventually(service.all_acknowledged)
    return f"{entry.decode()}/mail", bad.decode()


async def test_the_list_shows_each_dead_letter_and_their_number(service: Running, command: Command) -> None:
    given_up, bad = await a_letter_of_each_kind(service)
    ended = await command()
    assert (ended.status, ended.err) == (0, "")
    heading, first, why, second, _, _, count = ended.out.splitlines()
    assert heading.split() == ["KEY", "AGE", "REASON", "ATTEMPTS", "CHANNEL", "EVENT", "ID"]
    assert first.split()[0] == given_up
    assert first.split()[2:] == ["s", "gave_up", "1", "mail", EVENT_ID]
    assert why == "  not now"
    assert second.split()[0] == bad
    assert second.split()[3:] == ["malformed", "1", "-", "-"]
    assert count == "2 dead letters."
    assert (await command("list")).out.splitlines()[-1] == count


async def test_make_calls_the_service_of_make_dev(service: Running, token_file: Path) -> None:
    given_up, _ = await a_letter_of_each_kind(service)
    listed = await to_its_end(
        *("make", "--silent", "--no-print-directory", "--directory", str(ROOT), "dead-letters"),
        **dict.fromkeys(("ARGS", "MAKEFLAGS"), ""),  # do not inherit them from `make test`
        MESH_TOKEN_FILE=str(token_file),
        NOTIFY_GRPC_PORT=str(service.settings.grpc_port),
        NOTIFY_GRPC_TARGET="",
    )
    assert (listed.status, listed.err) == (0, "")
    assert given_up in listed.out


async def test_a_list_of_many_pages_is_complete(service: Running, command: Command) -> None:
    keys = {f"{number:013d}-0": number for number in range(450)}
    await service.redis.zadd(redis_keys.DEAD_LETTERS, dict(keys.items()))
    answer = json.loads((await command("--json")).out)
    assert [letter["key"] for letter in answer["dead_letters"]] == list(keys)
    assert answer["total_count"] == 450


async def test_a_long_list_can_be_piped_to_head(service: Running, token_file: Path) -> None:
    keys = {f"{number:013d}-0": number for number in range(5000)}  # more than a pipe's buffer
    await service.redis.zadd(redis_keys.DEAD_LETTERS, dict(keys.items()))
    target = f"127.0.0.1:{service.settings.grpc_port}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", f"{sys.executable} -m notify_svc.cli.dead_letters | head -n 2"),
        env={
            **os.environ,
            "NOTIFY_GRPC_TARGET": target,
            "MESH_TOKEN_FILE": str(token_file),
            "PYTHONUNBUFFERED": "",  # with it, Python has nothing to flush at exit
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.splitlines()[1].startswith(b"0000000000000-0 ")


async def test_escape_sequences_are_escaped(service: Running, command: Command) -> None:
    await service.redis.zadd(redis_keys.DEAD_LETTERS, {"1-0": 1})
    await service.redis.hset(redis_keys.dead_letter_key("1-0"), "detail", "\x1b]0;owned\x07 \u202e\r\nfake line")
    for arguments in ((), ("--json",)):
        out = (await command(*arguments)).out
        assert all(line.isprintable() for line in out.split("\n"))
        assert "owned" in out
        assert not any(line.startswith("fake") for line in out.split("\n"))


async def test_an_empty_list_is_reported(service: Running, command: Command) -> None:
    assert await command() == Ended(0, "There are no dead letters.\n", "")
    assert json.loads((await command("list", "--json")).out) == {"dead_letters": [], "total_count": 0}


async def test_replay_delivers_dead_letters_and_lists_those_that_are_kept(
    service: Running, command: Command, channel: FakeChannel
) -> None:
    given_up, _ = await a_letter_of_each_kind(service)
    assert await command("replay", given_up) == Ended(0, "Replayed 1 dead letter.\n", "")
    await becomes(lambda: len(channel.delivered) == 1)

    again = await command("replay", given_up)
    assert again.out.splitlines()[0] == "Replayed 0 dead letters."
    assert "Ignored keys (no dead letter, or delivered in the meantime): 1." in again.out

    await service.redis.zadd(redis_keys.DEAD_LETTERS, {"1-0": 1})
    answer = json.loads((await command("replay", "--all", "--json")).out)
    assert answer == {"replayed_count": 1, "not_replayable_keys": ["1-0"]}
    stays = await command("replay", "1-0")
    assert (stays.status, stays.out.splitlines()[-1]) == (0, "  1-0")


async def test_discard_removes_dead_letters(service: Running, command: Command) -> None:
    given_up, _ = await a_letter_of_each_kind(service)
    assert (await command("discard", given_up)).out == "Discarded 1 dead letter.\n"
    assert json.loads((await command("discard", "--all", "--json")).out) == {"discarded_count": 1}
    assert not await service.redis.exists(redis_keys.DEAD_LETTERS)


async def test_keys_may_be_any_bytes(service: Running, command: Command) -> None:
    ended = await command("discard", b"\xff\xfe", "\x1b[2J", "é")
    assert (ended.status, ended.out) == (0, "Discarded 0 dead letters.\nIgnored keys (no dead letter): 3.\n")


async def test_a_proxy_in_the_environment_is_not_used(service: Running, command: Command) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    assert (await command(http_proxy=proxy, https_proxy=proxy, no_proxy="", grpc_proxy=proxy)).status == 0


@pytest.mark.parametrize("verb", [["list"], ["replay", "--all"], ["discard", "1-0"]])
async def test_an_unreachable_service_is_reported(verb: list[str]) -> None:
    target = f"127.0.0.1:{free_port()}"
    ended = await run(target, None, *verb)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == (
        f"Cannot reach the notification service at {target}. "
        "Check that it is running, or set NOTIFY_GRPC_TARGET to its address.\n"
    )


async def test_an_invalid_target_is_reported() -> None:
    ended = await run("no such host.invalid:1", None)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Cannot reach the notification service at no such host.invalid:1.")


async def test_access_without_the_mesh_token_is_denied(service: Running) -> None:
    ended = await run(f"127.0.0.1:{service.settings.grpc_port}", None)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("Access denied by the notification service at 127.0.0.1:")
    assert "MESH_TOKEN_FILE" in ended.err


async def test_another_server_at_the_target_is_reported() -> None:
    server = grpc.aio.server()
    target = f"127.0.0.1:{free_port()}"
    server.add_insecure_port(target)
    await server.start()
    try:
        ended = await run(target, None)
    finally:
        await server.stop(None)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"The server at {target} is not the notification service.")


async def test_an_unavailable_queue_is_reported_with_the_services_message(
    tmp_path: Path, tasks: FakeTaskEvents
) -> None:
    server = Valkey(tmp_path)
    server.start()
    try:
        async with serving(server.url, tasks.target, [FakeChannel()]) as service:
            server.kill()
            ended = await run(f"127.0.0.1:{service.settings.grpc_port}", None, "discard", "1-0")
    finally:
        server.kill()
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.endswith(": The queue is unavailable; try again. (UNAVAILABLE)\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["replay"], "replay needs either KEYs or --all"),
        (["discard", "--all", "1-0"], "discard needs either KEYs or --all"),
        (["bury"], "invalid choice"),
        (["list", "1-0"], "unrecognized arguments"),
        (["discard", *["1-0"] * 1001], "discard takes at most 1000 KEYs"),
    ],
)
async def test_invalid_arguments_exit_with_status_2(arguments: list[str], said: str) -> None:
    ended = await run("127.0.0.1:1", None, *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.startswith("usage: dead-letters")


async def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ended = await run("127.0.0.1:1", tmp_path / "none")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("MESH_TOKEN_FILE: ")
