"""`make doctor` with real parts: a queue, the whole mesh, ports that nobody or somebody else holds."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from scripts.containers.project import Project
from scripts.dev.settings import PORTS
from scripts.doctor import docker, machine, services, stores
from scripts.doctor.findings import Away, Finding, State, ask
from tests import ROOT
from tests.support.chassis.mesh import mesh_server
from tests.support.chassis.probe import SERVICE
from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.stack.dev_runner import DevRunner, running
from tests.support.stack.rehearsal import ComposeRedis
from tests.support.stack.stand_in_docker import StandIn
from tests.support.valkey import Valkey


def _doctor(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "scripts.doctor", *arguments],
        cwd=ROOT,
        env={**inherited, **variables},
        capture_output=True,
        text=True,
        timeout=30,
    )


def _nothing(folder: Path) -> dict[str, str]:
    """The variables of a system that is not running."""
    ports = {name: str(free_port()) for name in PORTS}
    return {**ports, "DATA_DIR": str(folder / "data")}


def _of(dev: DevRunner, folder: Path) -> dict[str, str]:
    return {**{name: str(port) for name, port in dev.ports.items()}, "DATA_DIR": str(folder)}


def _found(report: str, group: str) -> dict[str, dict[str, str]]:
    return {each["part"]: each for each in json.loads(report)["findings"] if each["group"] == group}


@pytest.fixture
async def hanging() -> AsyncIterator[int]:
    """The port of a server that takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", free_port()) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()


def test_where_nothing_runs_it_says_so_and_how_to_start(tmp_path: Path) -> None:
    ran = _doctor(**_nothing(tmp_path))
    assert ran.returncode == 1
    assert "Nothing is running. Start it with `make dev`" in ran.stdout
    assert " bad " not in ran.stdout
    assert "\x1b" not in ran.stdout


async def _notifier_is(dev: DevRunner, state: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{dev.ports['EDGE_PORT']}/readyz")
    return bool(answer.json()["services"]["notify.v1.NotificationService"] == state)


async def test_with_everything_up_all_is_well_until_the_queue_stops(tmp_path: Path) -> None:
    with running(tmp_path, cwd=ROOT) as dev:
        dev.wait_for("Taskmesh is up")
        ran = _doctor(**_of(dev, tmp_path))
        assert ran.returncode == 0, ran.stdout
        assert "All is well: `make dev` is running." in ran.stdout
        for part in (
            "valkey-server (process ",
            "Valkey 9",
            "vite.js (process ",
            "serves the page",
            "API 1",
            "task.v1.TaskService is SERVING",
            "samples",
        ):
            assert part in ran.stdout

        queue = dev.descendants()["valkey"]
        queue.send_signal(signal.SIGSTOP)
        try:
            await eventually(lambda: _notifier_is(dev, "NOT_SERVING"))
            begun = time.monotonic()
            ran = _doctor("--json", **_of(dev, tmp_path))
            assert time.monotonic() - begun < 10
        finally:
            queue.send_signal(signal.SIGCONT)
        assert ran.returncode == 1
        parts = _found(ran.stdout, "make dev")
        assert parts["queue"]["says"] == "does not answer within 2 s"
        assert parts["notify_svc"]["says"] == "lives and is not ready"
        assert "notify.v1.NotificationService away" in parts["edge_api"]["says"]
        assert (parts["task_svc"]["state"], parts["tasks"]["state"]) == ("ok", "ok")
        assert all(each["cure"] for each in parts.values() if each["state"] == "bad")


def test_a_port_that_somebody_else_holds_is_named_with_the_holder(tmp_path: Path) -> None:
    variables = _nothing(tmp_path)
    command = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", variables["EDGE_PORT"]]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            deadline = time.monotonic() + 20
            while (edge := _edge(variables))["state"] != "off" or "something else" not in edge["says"]:
                assert time.monotonic() < deadline
            port = _found(_doctor("--json", **variables).stdout, "ports of make dev")["EDGE_PORT"]
        finally:
            other.kill()
    assert port["state"] == "bad"
    assert port["says"] == f"taken by http.server (process {other.pid})"
    assert "EDGE_PORT" in port["cure"]


def _edge(variables: dict[str, str]) -> dict[str, str]:
    return _found(_doctor("--json", **variables).stdout, "make dev")["edge_api"]


# In a process of its own: PyMongo leaves a socket to the garbage collector when it is closed while it connects.
def test_a_mongodb_that_is_away_is_off_and_its_user_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a-secret")
    store = f"127.0.0.1:{free_port()}/taskmesh"
    password = {"TASK_STORE_PASSWORD_FILE": str(tmp_path / "password")}
    ran = _doctor("--json", **_nothing(tmp_path), **password, TASK_STORE_URL=f"mongodb://someone@{store}")
    tasks = _found(ran.stdout, "make dev")["tasks"]
    assert (tasks["state"], tasks["where"]) == ("off", store)
    assert "someone" not in ran.stdout
    assert "a-secret" not in ran.stdout


def test_a_bad_setting_is_told_from_a_bad_state() -> None:
    ran = _doctor(EDGE_PORT="eighty")
    assert (ran.returncode, ran.stderr) == (2, "EDGE_PORT must be a port, a number from 1 to 65535; it is 'eighty'\n")


def test_packages_that_are_not_there_are_said_in_one_line() -> None:
    command = [sys.executable, "-S", "-m", "scripts.doctor"]
    ran = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.endswith("nothing else can be looked at: make install\n")


async def test_a_queue_that_keeps_what_it_confirms_is_well(valkey: Valkey) -> None:
    answer = await stores.queue(valkey.url, None)
    assert answer.version.startswith("Valkey 9")
    assert answer.cure == ""


async def test_a_queue_that_may_lose_what_it_confirmed_is_not(tmp_path: Path) -> None:
    careless = Valkey(tmp_path)
    careless.start()
    try:
        async with Redis.from_url(careless.url) as client:
            await client.config_set("appendfsync", "everysec")
            await client.config_set("maxmemory-policy", "allkeys-lru")
        answer = await stores.queue(careless.url, None)
    finally:
        careless.kill()
    assert answer.cure == "what it confirmed may be lost: set appendfsync always, maxmemory-policy noeviction"


async def test_a_queue_that_asks_for_a_password_says_what_to_set(tmp_path: Path) -> None:
    server = ComposeRedis(tmp_path)
    try:
        server.start()
        url = f"redis://notify_svc@127.0.0.1:{server.port}/0"
        refused = await stores.queue(url, None)
        answer = await stores.queue(url, (server.secrets / "redis-notify-password").read_text())
    finally:
        server.close()
    assert "REDIS_PASSWORD_FILE" in refused.cure
    assert (answer.says, answer.cure) == ("answers; its settings are not for this user to see", "")


async def test_nobody_there_is_off() -> None:
    port = free_port()
    for question in (
        stores.queue(f"redis://127.0.0.1:{port}/0", None),
        services.grpc_service(f"127.0.0.1:{port}", SERVICE),
        services.edge(f"http://127.0.0.1:{port}"),
        services.metrics(f"http://127.0.0.1:{port}"),
    ):
        with pytest.raises(Away):
            await question


async def test_one_that_hangs_is_bad_within_the_time(hanging: int) -> None:
    begun = asyncio.get_running_loop().time()
    found = await asyncio.gather(
        ask("group", "queue", "", lambda: stores.queue(f"redis://127.0.0.1:{hanging}/0", None)),
        ask("group", "service", "", lambda: services.grpc_service(f"127.0.0.1:{hanging}", SERVICE)),
        ask("group", "edge", "", lambda: services.edge(f"http://127.0.0.1:{hanging}")),
    )
    assert asyncio.get_running_loop().time() - begun < 4
    assert {finding.state for finding in found} <= {State.BAD, State.OFF}
    assert found[0].says == found[2].says == "does not answer within 2 s"


async def test_a_service_that_waits_for_its_store_lives_and_is_not_ready() -> None:
    async def away() -> None:
        raise ConnectionError

    async with mesh_server(ready=away) as server:
        answer = await services.grpc_service(server.target, SERVICE)
    assert answer.says == "lives and is not ready"
    assert answer.cure


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    lines = [
        {"Service": "edge-api", "State": "running", "Health": "healthy", "Name": "taskmesh-edge-api-1"},
        {"Service": "task-svc", "State": "running", "Health": "unhealthy"},
        {"Service": "redis", "State": "running", "Health": "starting"},
        {"Service": "mongo-init", "State": "exited", "ExitCode": 0},
        {"Service": "mongo", "State": "exited", "ExitCode": 137},
    ]
    (tmp_path / "ps").write_text("\n".join(json.dumps(line) for line in lines))
    stand_in = StandIn(
        tmp_path, f'"version --format"*) echo 29.1.0 ;;\n"compose ps --all --format json") cat {tmp_path}/ps ;;'
    )
    monkeypatch.setenv("PATH", f"{tmp_path}/commands:{os.environ['PATH']}")
    return stand_in


async def test_containers_are_as_compose_says(containers: StandIn) -> None:
    engine, *parts = await docker.docker(containers.checkout)
    assert (engine.state, engine.version) == (State.OK, "29.1.0")
    assert [(part.part, part.state, part.says) for part in parts] == [
        ("edge-api", State.OK, "healthy"),
        ("task-svc", State.BAD, "running unhealthy"),
        ("redis", State.BAD, "starting"),
        ("mongo-init", State.OK, "done"),
        ("mongo", State.BAD, "exited (137)"),
    ]
    assert parts[1].cure == "make logs ARGS=task-svc"


def test_every_service_that_is_to_end_is_known_to_be() -> None:
    assert Project.read(ROOT).one_shots() == docker.ONE_SHOTS


async def test_older_versions_of_compose_list_them_at_once(containers: StandIn, tmp_path: Path) -> None:
    (tmp_path / "ps").write_text(json.dumps([{"Service": "edge-api", "State": "running", "Health": ""}]))
    *_, edge = await docker.docker(containers.checkout)
    assert (edge.part, edge.says) == ("edge-api", "running")


async def test_without_an_engine_there_is_a_note_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn(tmp_path, "*) exit 1 ;;")
    monkeypatch.setenv("PATH", f"{tmp_path}/commands:{os.environ['PATH']}")
    assert [finding.state for finding in await docker.docker(stand_in.checkout)] == [State.NOTE]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [finding.says for finding in await docker.docker(tmp_path)] == ["is not installed; only make up needs it"]


def test_packages_that_are_not_as_pinned_are_named(tmp_path: Path) -> None:
    assert machine.packages(ROOT).state is State.OK
    locks = [path for pattern in ("", "*/", "tests/*/") for path in ROOT.glob(f"{pattern}requirements*.txt")]
    for path in (ROOT / "pyproject.toml", *locks):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text().replace("psutil==7.", "psutil==7.9").replace("hypothesis==", "hypothesis==9")
        copy.write_text(text)
    found = machine.packages(tmp_path)
    assert (found.state, found.cure) == (State.BAD, "make install")
    assert "psutil is 7." in found.says


def test_packages_of_the_page_that_are_not_as_pinned_are_named(tmp_path: Path) -> None:
    assert machine.node_packages(ROOT).state is State.OK
    (tmp_path / "web").mkdir()
    (tmp_path / "web/package.json").write_text((ROOT / "web/package.json").read_text())
    found = machine.node_packages(tmp_path)
    assert (found.state, found.cure) == (State.BAD, "make install")


@pytest.mark.parametrize(
    ("status", "kind", "cure"),
    [
        (200, "text/html", ""),
        (200, "application/json", "something else is on this port"),
        (404, "text/html", "something else is on this port"),
        (500, "text/html", "look at what it has logged: an error in web/src, most likely"),
    ],
)
async def test_the_page_is_told_from_what_else_may_answer(status: int, kind: str, cure: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()

    port = free_port()
    async with await asyncio.start_server(answer, "127.0.0.1", port):
        assert (await services.web(f"http://127.0.0.1:{port}")).cure == cure


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "not/yet/there").state is State.OK
    monkeypatch.setattr(machine, "_LITTLE", 1024**6)
    found: Finding = machine.disk(tmp_path)
    assert (found.state, "DATA_DIR" in found.cure) == (State.BAD, True)
