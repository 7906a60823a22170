"""The drills in containers: the commands that they run, and the removal of each fault."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from scripts.drill.__main__ import main
from scripts.drill.compose import ComposeInjector
from scripts.drill.drills import DRILLS
from tests import ROOT

_COMPOSE = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/log"
case "$*" in *"ROUNDS = 0"*) ;; run*) exec sleep 60 ;; esac
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    script = tmp_path / "compose"
    script.write_text(_COMPOSE)
    script.chmod(0o755)
    return script


def _log(compose: Path) -> str:
    return (compose.parent / "log").read_text()


def test_the_notification_service_is_paused_and_resumed(compose: Path) -> None:
    stop = threading.Event()
    stop.set()
    DRILLS[2].run(ComposeInjector(compose), stop)
    assert _log(compose).splitlines() == ["pause notify-svc", "unpause notify-svc"]


def test_the_malformed_event_is_published_by_the_user_that_may_publish(compose: Path) -> None:
    ComposeInjector(compose).publish_malformed_event()
    assert _log(compose).startswith("exec --no-TTY redis sh -c REDISCLI_AUTH=$(cat /run/secrets/redis-task-password)")
    assert "--user task_svc XADD task-events" in _log(compose)


def test_the_lock_is_released_if_the_drill_ends_while_writes_are_blocked(compose: Path) -> None:
    stop = threading.Event()
    blocking = threading.Thread(target=ComposeInjector(compose).block_writes, args=(1.6, 0.4, stop))
    blocking.start()
    while not (compose.parent / "log").exists():
        assert blocking.is_alive()
    stop.set()
    blocking.join(20)
    assert not blocking.is_alive()
    first, _, rest = _log(compose).partition("const ROUNDS = 1800, HELD_MS = 1600, FREE_MS = 400;")
    assert first.startswith("run --rm --no-deps --no-TTY --entrypoint mongosh mongo-init")
    assert "const ROUNDS = 0" in rest


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
    assert main([]) == 0
    listed = capsys.readouterr().out
    for number, drill in DRILLS.items():
        assert f"make drill N={number}   “{drill.symptom}”" in listed
        assert drill.alert not in listed
