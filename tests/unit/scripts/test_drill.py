"""The drills, in containers with a stand-in for docker: the question, and that each fault and each child is removed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.drill.__main__ import main
from scripts.drill.compose import ComposeInjector
from scripts.drill.drills import CAUSES, DRILLS
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.stand_in_docker import StandIn

# A container runs while its file exists. The one with the lock starts late, as with a busy engine.
_DOCKER = """
  "compose ps --quiet edge-api") echo 0123456789ab ;;
  "compose exec --no-TTY edge-api sh -c echo "*) touch $FOLDER/load; while [ -e $FOLDER/load ]; do sleep 0.05; done ;;
  "compose exec --no-TTY edge-api sh -c kill "*) rm $FOLDER/load ;;
  "compose run "*"ROUNDS = 0"*) echo undo >>$FOLDER/log ;;
  "compose run "*) echo "$*" >>$FOLDER/log; sleep 0.5
    touch $FOLDER/lock; while [ -e $FOLDER/lock ]; do sleep 0.05; done ;;
  "rm --force taskmesh-drill") rm -f $FOLDER/lock ;;
  "compose pause "* | "compose unpause "* | "compose exec "*) echo "$*" >>$FOLDER/log ;;
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of the stand-in, which is now the docker command."""
    StandIn(tmp_path, _DOCKER)
    monkeypatch.setenv("PATH", f"{tmp_path}/commands:{os.environ['PATH']}")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    monkeypatch.delenv("COMPOSE_PROJECT_NAME", raising=False)
    monkeypatch.setenv("EDGE_PORT", str(free_port()))
    (tmp_path / "log").touch()
    return tmp_path / "log"


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _drill(*arguments: str, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-m", "scripts.drill", *arguments], subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def _result(drill: subprocess.Popen[str], answers: str | None = None) -> str:
    """Return the output of a drill that succeeds."""
    output, errors = drill.communicate(answers, timeout=60)
    assert drill.returncode == 0, errors
    assert output.endswith("The fault is undone.\n")
    return output


def test_the_notification_service_is_paused_and_resumed(log: Path) -> None:
    stop = threading.Event()
    stop.set()
    DRILLS[2].run(ComposeInjector(ROOT / "scripts"), stop)
    assert log.read_text().splitlines() == ["compose pause notify-svc", "compose unpause notify-svc"]


def test_the_malformed_event_is_published_by_the_user_that_may_publish(log: Path) -> None:
    ComposeInjector(ROOT / "scripts").publish_malformed_event()
    published = "compose exec --no-TTY redis sh -c REDISCLI_AUTH=$(cat /run/secrets/redis-task-password)"
    assert log.read_text().startswith(published)
    assert "--user task_svc XADD task-events" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("file", ["log", "lock"], ids=["while its container starts", "while writes are blocked"])
def test_a_signal_ends_a_drill_and_its_containers_and_then_releases_the_lock(
    log: Path, number: signal.Signals, file: str
) -> None:
    drill = _drill("1")
    _until(lambda: "ROUNDS = 1800, HELD_MS = 1600, FREE_MS = 400" in log.read_text())
    _until((log.parent / file).exists)
    _until((log.parent / "load").exists)
    drill.send_signal(number)
    _result(drill)
    assert {path.name for path in log.parent.iterdir()} == {"checkout", "commands", "log"}
    assert log.read_text().splitlines()[-1] == "undo"
    assert "run --rm --no-deps --no-TTY --name taskmesh-drill --entrypoint mongosh mongo-init" in log.read_text()


_RIGHT = CAUSES.index(DRILLS[3].cause) + 1


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        (f"{_RIGHT + 1}\n{_RIGHT}\n", f"{_RIGHT + 1} is not the right number. Try again"),
        (f"{_RIGHT}", "\nRight.\nThe fault was: poison event."),
        ("\n", "\nThe drill has ended.\nThe fault was: poison event."),
    ],
)
def test_an_answer_is_graded_and_the_right_or_an_empty_one_ends_the_drill(log: Path, answers: str, shown: str) -> None:
    output = _result(_drill("3"), answers)
    before, _, after = output.partition("press Enter to give up.\n")
    assert DRILLS[3].name not in before
    assert shown in after


def test_without_an_answer_a_drill_ends_by_time(log: Path) -> None:
    assert "The drill has ended." in _result(_drill("3", "--seconds", "0.5", stdin=subprocess.DEVNULL))


def test_ctrl_d_gives_up(log: Path) -> None:
    terminal, stdin = os.openpty()
    os.write(terminal, b"\x04")
    assert "The drill has ended." in _result(_drill("3", stdin=stdin))
    os.close(terminal)
    os.close(stdin)


def test_a_fault_that_cannot_be_undone_is_an_error(tmp_path: Path, log: Path) -> None:
    docker = tmp_path / "commands/docker"
    docker.write_text(
        docker.read_text().replace('"compose unpause "*', '"compose unpause "*) echo no >&2; exit 1 ;; x')
    )
    drill = _drill("2")
    _, errors = drill.communicate("\n", timeout=60)
    assert drill.returncode == 1
    assert "its fault may remain" in errors
    assert "unpause notify-svc failed: no" in errors


_FAKE_MONGOSH = """
let held = Number(process.argv[2]), most = 0;
const admin = {
  auth: (user, password) => { if (user !== "root" || password !== "a password") throw new Error("refused"); },
  fsyncLock: () => { most = Math.max(most, ++held); },
  fsyncUnlock: () => { held--; },
  runCommand: ({ fsyncUnlock }) => {
    if (held === 0) throw new Error("fsyncUnlock called when not locked");
    return { lockCount: (held -= fsyncUnlock) };
  },
};
const given = { connect: () => admin, sleep: () => {}, require: () => ({ readFileSync: () => "a password\\n" }) };
const numbers = `const ROUNDS = ${process.argv[3]}, HELD_MS = 1, FREE_MS = 1;`;
const source = require("fs").readFileSync(process.argv[4], "utf8");
new Function(...Object.keys(given), `${numbers} ${source}`)(...Object.values(given));
console.log(held, most);
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(("before", "rounds", "most"), [(0, 3, 1), (2, 0, 0), (0, 0, 0)])
def test_mongodbs_lock_is_held_once_at_a_time_and_released(before: int, rounds: int, most: int) -> None:
    script = ROOT / "scripts/drill/block_writes.js"
    command = ["node", "-e", _FAKE_MONGOSH, "-", str(before), str(rounds), str(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["0", str(most)]


def test_the_list_of_drills_shows_symptoms_and_not_causes(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    listed = capsys.readouterr().out
    for number, drill in DRILLS.items():
        assert f"make drill N={number}   “{drill.symptom}”" in listed
        assert drill.alert not in listed
