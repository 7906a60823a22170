"""The drills that reach into containers: what they ask of Docker."""

import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from scripts.drill.__main__ import main
from scripts.drill.compose import ComposeHands
from scripts.drill.drills import DRILLS
from tests import ROOT

_COMPOSE = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/asked"
case "$*" in *"ROUNDS = 0"*) ;; run*) exec sleep 60 ;; esac
"""


@pytest.fixture
def compose(tmp_path: Path) -> Path:
    script = tmp_path / "compose"
    script.write_text(_COMPOSE)
    script.chmod(0o755)
    return script


def _asked(compose: Path) -> str:
    return (compose.parent / "asked").read_text()


def test_a_dead_notifier_is_paused_and_goes_on_afterwards(compose: Path) -> None:
    stop = threading.Event()
    stop.set()
    DRILLS[2].run(ComposeHands(compose), stop)
    assert _asked(compose).splitlines() == ["pause notify-svc", "unpause notify-svc"]


def test_a_poison_event_comes_from_the_user_that_may_publish(compose: Path) -> None:
    ComposeHands(compose).poison()
    asked = _asked(compose)
    assert asked.startswith("exec --no-TTY redis sh -c REDISCLI_AUTH=$(cat /run/secrets/redis-task-password)")
    assert "--user task_svc XADD task-events" in asked


def test_the_store_is_let_go_of_however_the_drill_ends(compose: Path) -> None:
    stop = threading.Event()
    holding = threading.Thread(target=ComposeHands(compose).hold_writes, args=(1.6, 0.4, stop))
    holding.start()
    while not (compose.parent / "asked").exists():
        assert holding.is_alive()
    stop.set()
    holding.join(20)
    assert not holding.is_alive()
    first, _, rest = _asked(compose).partition("const ROUNDS = 1800, HELD_MS = 1600, FREE_MS = 400;")
    assert first.startswith("run --rm --no-deps --no-TTY --entrypoint mongosh mongo-init")
    assert "const ROUNDS = 0" in rest
    assert "fsyncUnlock" in rest


_PLAY = """
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
def test_mongodbs_lock_is_taken_in_turns_and_never_left_behind(before: int, rounds: int, most: int) -> None:
    hold = ROOT / "scripts/drill/hold.js"
    command = ["node", "-e", _PLAY, "-", str(before), str(rounds), str(hold)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["0", str(most)]


def test_without_a_number_each_drill_is_told_by_what_users_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    for number, drill in DRILLS.items():
        assert f"make drill N={number}" in told
        assert drill.complaint in told
        assert drill.alert not in told
