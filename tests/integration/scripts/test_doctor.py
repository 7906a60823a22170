"""`make doctor` on a system that runs, on parts of one, and on none."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from redis.asyncio import Redis

from scripts.dev.settings import PORTS
from scripts.doctor import containers, machine, parts
from scripts.doctor.findings import Problem, State
from scripts.doctor.mongodb import mongodb
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.dev_runner import running
from tests.support.stack.rehearsal import ComposeRedis
from tests.support.task_svc.mongo import Nx27017
from tests.support.task_svc.mongo_refusing import refusing_primary
from tests.support.valkey import Valkey

_KONG: dict[str, object] = {"Service": "kong", "State": "running", "Health": "healthy"}


def _doctor(variables: Mapping[str, str], *arguments: str, python_option: str = "") -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, *python_option.split(), "-m", "scripts.doctor", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**inherited, **variables}, capture_output=True, text=True, timeout=60)


def _findings(ran: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict[str, str]]:
    return {(each["group"], each["part"]): each for each in json.loads(ran.stdout)["findings"]}


@pytest.fixture
def nothing(tmp_path: Path) -> dict[str, str]:
    """The variables of a system that does not run."""
    return {**{name: str(free_port()) for name in PORTS}, "DATA_DIR": str(tmp_path / "data")}


def test_if_nothing_runs_it_says_how_to_start(nothing: dict[str, str]) -> None:
    ran = _doctor(nothing)
    assert ran.returncode == 1
    assert "Nothing is running. Start the system with `make dev`" in ran.stdout
    assert " bad " not in ran.stdout
    assert "\x1b" not in ran.stdout


def test_before_make_install_it_names_missing_packages_and_checks_the_rest(nothing: dict[str, str]) -> None:
    ran = _doctor(nothing, "--json", python_option="-S")  # without the folder of installed packages
    assert ran.returncode == 1
    found = _findings(ran)
    assert "is not installed" in found["machine", "packages"]["says"]
    assert found["machine", "packages"]["cure"] == "make install"
    assert {found["machine", part]["state"] for part in ("Python", "programs", "disk")} == {"ok"}
    assert {part for group, part in found if group == "ports of make dev"} == set(PORTS)


def test_a_part_that_hangs_is_bad_and_does_not_change_what_is_running(tmp_path: Path) -> None:
    with running(tmp_path, cwd=ROOT) as dev:
        dev.wait_for("Taskmesh is up")
        variables = {**{name: str(port) for name, port in dev.ports.items()}, "DATA_DIR": str(tmp_path)}
        ran = _doctor(variables)
        assert ran.returncode == 0, ran.stdout
        assert "All is well: `make dev` is running." in ran.stdout
        frozen = [dev.descendants()[name] for name in ("valkey", "task_svc", "edge_api")]
        for process in frozen:
            process.send_signal(signal.SIGSTOP)
        try:
            ran = _doctor(variables, "--json")
        finally:
            for process in frozen:
                process.send_signal(signal.SIGCONT)
    assert ran.returncode == 1
    assert "`make dev` is running" in json.loads(ran.stdout)["verdict"]
    bad = {part: each for (_, part), each in _findings(ran).items() if each["state"] == "bad"}
    assert {bad[part]["says"] for part in ("queue", "task_svc", "edge_api")} == {"does not answer within 2 s"}
    assert all(each["cure"] for each in bad.values())


def test_a_taken_port_is_shown_with_its_process(nothing: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-um", "http.server", "--bind", "127.0.0.1", nothing["EDGE_PORT"]]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as other:
        try:
            assert other.stdout is not None
            other.stdout.readline()
            port = _findings(_doctor(nothing, "--json"))["ports of make dev", "EDGE_PORT"]
        finally:
            other.kill()
    assert port["state"] == "bad"
    assert f"process {other.pid}" in port["says"]
    assert "EDGE_PORT" in port["cure"]


# In a process of its own: PyMongo leaves a socket to the garbage collector when it is closed while it connects.
@pytest.mark.parametrize(
    ("store", "says", "cure"),
    [
        ("127.0.0.1:{closed}/taskmesh", "no server listens", "start MongoDB"),
        ("no-such-host.invalid/taskmesh", "host name", "correct the host"),
        ("{primary}/taskmesh?replicaSet=rs9", "not a member of the replica set rs9", "replicaSet"),
        ("{primary}/taskmesh", "wrong user or password", "TASK_STORE_PASSWORD_FILE"),
    ],
)
def test_an_unusable_mongodb_has_a_cure_and_no_credential_is_shown(
    nothing: dict[str, str], tmp_path: Path, store: str, says: str, cure: str
) -> None:
    (tmp_path / "password").write_text("a-secret")
    password = {"TASK_STORE_PASSWORD_FILE": str(tmp_path / "password")}
    with refusing_primary() as primary:
        store = store.format(closed=free_port(), primary=primary.address)
        ran = _doctor({**nothing, **password, "TASK_STORE_URL": f"mongodb://someone@{store}"}, "--json")
    tasks = _findings(ran)["make dev", "tasks"]
    assert (tasks["state"], tasks["where"]) == ("bad", store)
    assert says in tasks["says"]
    assert cure in tasks["cure"]
    assert not any(secret in ran.stdout for secret in ("someone", "a-secret"))


async def test_an_invalid_url_of_mongodb_is_not_shown() -> None:
    with pytest.raises(Problem) as problem:
        await mongodb("mongodb://someone:a-sec/ret@127.0.0.1/taskmesh", None)
    assert "TASK_STORE_URL" in problem.value.finding.cure
    assert not any(secret in str(problem.value.finding) for secret in ("someone", "a-sec"))


async def test_a_single_mongodb_may_lose_what_it_acknowledges(nx27017: Nx27017) -> None:
    with pytest.raises(Problem, match="not a replica set") as problem:
        await mongodb(nx27017.url("taskmesh"), None)
    assert "--replSet" in problem.value.finding.cure


def test_a_bad_setting_is_an_error_of_the_call() -> None:
    ran = _doctor({"EDGE_PORT": "eighty"})
    assert (ran.returncode, "EDGE_PORT" in ran.stderr) == (2, True)


async def test_a_queue_must_keep_what_it_acknowledges(valkey: Valkey) -> None:
    assert (await parts.queue(valkey.url, None)).version.startswith("Valkey 9")
    async with Redis.from_url(valkey.url) as client:
        await client.config_set("appendfsync", "everysec")
        with pytest.raises(Problem) as problem:
            await parts.queue(valkey.url, None)
        await client.config_set("appendfsync", "always")
    assert problem.value.finding.cure == "set appendfsync always"


async def test_a_queue_with_users_needs_a_password(tmp_path: Path) -> None:
    server = ComposeRedis(tmp_path)
    try:
        server.start()
        url = f"redis://notify_svc@127.0.0.1:{server.port}/0"
        with pytest.raises(Problem) as refused:
            await parts.queue(url, None)
        found = await parts.queue(url, (server.secrets / "redis-notify-password").read_text())
    finally:
        server.close()
    assert "REDIS_PASSWORD_FILE" in refused.value.finding.cure
    assert found.state is State.OK


def _with_docker(nothing: dict[str, str], folder: Path, *lines: dict[str, object]) -> dict[str, str]:
    """The same variables, with a docker that lists these containers."""
    (folder / "ps").write_text("\n".join(json.dumps(line) for line in lines))
    (folder / "docker").write_text(f"#!/bin/sh\ncat {folder}/ps")
    (folder / "docker").chmod(0o755)
    return {**nothing, "PATH": f"{folder}:{os.environ['PATH']}"}


def test_containers_and_the_ports_that_they_publish_are_recognised(nothing: dict[str, str], tmp_path: Path) -> None:
    published = {"TargetPort": 8000, "PublishedPort": int(nothing["GATEWAY_PORT"])}
    done = {"Service": "mongo-init", "State": "exited", "ExitCode": 0}
    ran = _doctor(_with_docker(nothing, tmp_path, {**_KONG, "Publishers": [published]}, done), "--json")
    assert ran.returncode == 0, ran.stdout
    assert "`make up` is running" in json.loads(ran.stdout)["verdict"]
    port = _findings(ran)["ports of make dev", "GATEWAY_PORT"]
    assert (port["state"], "container kong" in port["says"]) == ("note", True)


def test_containers_that_do_not_work_are_bad(nothing: dict[str, str], tmp_path: Path) -> None:
    stopped = {"Service": "mongo", "State": "exited", "ExitCode": 0}
    failed = {"Service": "mongo-init", "State": "exited", "ExitCode": 1}
    listed = (stopped, failed, {**_KONG, "Health": "unhealthy"}, {**_KONG, "Service": "web", "Health": "starting"})
    ran = _doctor(_with_docker(nothing, tmp_path, *listed), "--json")
    assert ran.returncode == 1
    found = [each for (group, _), each in _findings(ran).items() if group == "make up"]
    assert [(each["state"], bool(each["cure"])) for each in found] == [("bad", True)] * 4


def test_without_monitoring_its_checks_are_skipped(nothing: dict[str, str], tmp_path: Path) -> None:
    ran = _doctor(_with_docker(nothing, tmp_path, _KONG), "--json", "--phase", "6")
    dashboards = _findings(ran)["phase 6", "The dashboards are available"]
    assert (dashboards["state"], "make up-lite" in dashboards["says"]) == ("note", True)


def test_the_one_shots_are_those_of_docker_compose() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert {name for name, service in services.items() if service.get("restart") == "no"} == containers.ONE_SHOTS


def test_packages_must_be_as_pinned(tmp_path: Path) -> None:
    lock = (ROOT / "requirements-dev.txt").read_text()
    (tmp_path / "requirements-dev.txt").write_text(lock.replace("psutil==7.", "psutil==7.9"))
    (tmp_path / "web").mkdir()
    (tmp_path / "web/package.json").write_text((ROOT / "web/package.json").read_text())
    for check in (machine.packages, machine.node_packages):
        assert check(ROOT).state is State.OK
        found = check(tmp_path)
        assert (found.state, found.cure) == (State.BAD, "make install")
    assert "psutil is 7." in machine.packages(tmp_path).says


def test_a_full_disk_is_bad(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert machine.disk(tmp_path / "not/yet/there").state is State.OK
    monkeypatch.setattr(machine, "_MIN_FREE_BYTES", 1024**6)
    assert machine.disk(tmp_path).state is State.BAD
