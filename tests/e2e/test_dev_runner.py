"""`make dev` with stand-ins for the services and the page, and a real Valkey."""

import os
import re
import signal
import socket
from pathlib import Path

import pytest

from scripts.dev.services import GRPC_SERVICES
from tests.support.stack.dev_runner import DevRunner, running
from tests.support.stack.dev_stand_ins import put_stand_ins

_STREAMS = """
for number in range(2000):
    os.write(1 + number % 2, b"<%d>\\n" % number)
"""
_HARD_LINES = r"""
sys.stdout.buffer.write(b"\xff not text\n" + b"x" * 300_000 + b"\n" + b"no line feed")
sys.stdout.flush()
"""
_ENDLESS_OUTPUT = """
import threading
def write():
    while True:
        os.write(1, b"noise\\n" * 100)
threading.Thread(target=write, daemon=True).start()
"""

_SERVICES = [each.name for each in reversed(GRPC_SERVICES)]
_EVERYTHING = sorted(["kong.dev_gateway", "edge_api", *_SERVICES, "web", "valkey"])


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    return put_stand_ins(tmp_path / "stand-ins")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_in_order_with_status_0(
    tmp_path: Path, stand_ins: Path, number: signal.Signals
) -> None:
    with running(tmp_path / "data", cwd=stand_ins) as dev:
        dev.wait_for("Taskmesh is up")
        assert sorted(dev.descendants()) == _EVERYTHING
        dev.send(number)
        assert dev.wait() == 0
        assert dev.left_behind() == []
        order = [
            line.split("|")[0].strip() for line in dev.settled().splitlines() if "drained" in line or "bye" in line
        ]
        assert order == ["edge_api", *_SERVICES, "valkey"]


def test_a_killed_process_is_reported_and_stops_the_others(tmp_path: Path, stand_ins: Path) -> None:
    with running(tmp_path / "data", cwd=stand_ins) as dev:
        dev.wait_for("Taskmesh is up")
        dev.descendants()["notify_svc"].kill()
        assert dev.wait() == 1
        assert dev.left_behind() == []
        assert "notify_svc was killed by SIGKILL" in dev.settled()


def test_a_process_that_cannot_start_is_reported_with_its_status(tmp_path: Path) -> None:
    folder = put_stand_ins(tmp_path / "stand-ins", edge="sys.exit('EDGE_PORT: not today')")
    with running(tmp_path / "data", cwd=folder) as dev:
        assert dev.wait() == 1
        assert re.search(r"^edge_api +\| EDGE_PORT: not today$", dev.settled(), re.MULTILINE)
        assert "edge_api ended with exit status 1" in dev.settled()


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux ties a process to its parent")
def test_no_process_remains_when_the_runner_is_killed(tmp_path: Path, stand_ins: Path) -> None:
    with running(tmp_path / "data", cwd=stand_ins) as dev:
        dev.wait_for("Taskmesh is up")
        dev.descendants()
        dev.send(signal.SIGKILL)
        dev.wait()
        assert dev.left_behind() == []


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux ties a process to its parent")
def test_no_process_remains_when_the_parent_of_the_runner_is_killed(tmp_path: Path, stand_ins: Path) -> None:
    # bash takes the role of make. The second command prevents bash from replacing itself with the first one.
    with running(tmp_path / "data", cwd=stand_ins, prefix=("bash", "-c", '"$@"; true', "bash")) as dev:
        dev.wait_for("Taskmesh is up")
        assert len(dev.descendants()) == 1 + len(_EVERYTHING)
        dev.send(signal.SIGKILL)
        assert dev.left_behind() == []


def test_an_occupied_port_is_reported_with_its_variable_and_process(tmp_path: Path, stand_ins: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with running(tmp_path / "data", cwd=stand_ins, variables={"TASK_GRPC_PORT": str(port)}) as dev:
            assert dev.wait() == 1
            assert f"port {port} is in use by " in dev.settled()
            assert f"(process {os.getpid()}): stop it, or set TASK_GRPC_PORT to another port" in dev.settled()
            assert "|" not in dev.output, "something was started"


def test_an_invalid_port_is_rejected(tmp_path: Path, stand_ins: Path) -> None:
    with running(tmp_path / "data", cwd=stand_ins, variables={"EDGE_PORT": "http"}) as dev:
        assert dev.wait() == 1
        assert dev.settled() == "EDGE_PORT must be a port from 1 to 65535, not 'http'\n"


def test_two_copies_never_share_their_data(tmp_path: Path, stand_ins: Path) -> None:
    with running(tmp_path / "data", cwd=stand_ins) as first:
        first.wait_for("Taskmesh is up")
        with running(tmp_path / "data", cwd=stand_ins) as second:
            assert second.wait() == 1
            assert "is in use by another `make dev`" in second.settled()


def test_no_redis_server_is_started_if_redis_url_is_set(tmp_path: Path, stand_ins: Path) -> None:
    with running(tmp_path / "data", cwd=stand_ins, variables={"REDIS_URL": "redis://127.0.0.1:1/0"}) as dev:
        dev.wait_for("Taskmesh is up")
        assert sorted(dev.descendants()) == [name for name in _EVERYTHING if name != "valkey"]


def test_every_output_line_is_complete(tmp_path: Path) -> None:
    folder = put_stand_ins(tmp_path / "stand-ins", edge=_STREAMS + _HARD_LINES)
    with running(tmp_path / "data", cwd=folder) as dev:
        dev.wait_for("Taskmesh is up")
        dev.send(signal.SIGTERM)
        assert dev.wait() == 0
        lines = [line.removeprefix("edge_api   | ") for line in dev.settled().splitlines()]
        assert sorted(line for line in lines if line.startswith("<")) == sorted(f"<{n}>" for n in range(2000))
        assert "\ufffd not text" in lines
        assert sum(len(line) for line in lines if set(line) == {"x"}) == 300_000
        assert any("no line feed" in line for line in lines)


def test_a_stalled_reader_does_not_prevent_a_stop(tmp_path: Path) -> None:
    folder = put_stand_ins(tmp_path / "stand-ins", edge=_ENDLESS_OUTPUT)
    dev = DevRunner(tmp_path / "data", cwd=folder)
    try:
        while len(dev.descendants()) < 6:
            assert dev.running
        dev.send(signal.SIGTERM)
        assert dev.wait() in (0, 1)
        assert dev.left_behind() == []
    finally:
        dev.close()
