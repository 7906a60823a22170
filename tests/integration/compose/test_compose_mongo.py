"""compose/mongo/init.js ends in the same state from any earlier state, against a simulated MongoDB.

These tests cover only the script's own steps. They do not show that a real mongod responds in the same way, because
mongod is not available from pip.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

_SCRIPT = ROOT / "compose/mongo/init.js"

_SIMULATION = """
const state = JSON.parse(process.argv[2]);
const refuse = (codeName) => { throw Object.assign(new Error(codeName), { codeName }); };
let signedIn = false;
const mayMakeUsers = () => { if (!signedIn && state.users.admin) refuse("Unauthorized"); };
const database = (name) => ({
  runCommand(command) {
    if (command.hello) return { isWritablePrimary: state.initiated && state.polls-- <= 0 };
    if (Object.keys(state.users).length && !signedIn) refuse("Unauthorized");
    if (state.initiated) refuse("AlreadyInitialized");
    state.initiated = command.replSetInitiate;
  },
  auth({ user, pwd }) {
    if (state.users[name]?.[user]?.pwd !== pwd) refuse("AuthenticationFailed");
    signedIn = true;
  },
  getUser: (user) => state.users[name]?.[user] ?? null,
  createUser({ user, ...rest }) {
    mayMakeUsers();
    if (!state.initiated) refuse("NotWritablePrimary");
    (state.users[name] ??= {})[user] = rest;
  },
  updateUser(user, rest) { mayMakeUsers(); Object.assign(state.users[name][user], rest); },
  getSiblingDB: database,
});
const given = {
  connect: () => { if (state.silent-- > 0) throw new Error("refused"); return database("admin"); },
  sleep: () => {},
  print: () => {},
  require: () => ({ readFileSync: (path) => `${path.split("/").pop()}\\n` }),
};
const source = require("fs").readFileSync(process.argv[3], "utf8");
new Function(...Object.keys(given), source)(...Object.values(given));
console.log(JSON.stringify(state));
"""

_ROOT_USER = {"pwd": "mongo-root-password", "roles": ["root"]}
_TASK_USER = {"pwd": "mongo-task-password", "roles": [{"role": "readWrite", "db": "taskmesh"}]}
_MONITOR = {
    "pwd": "mongo-monitor-password",
    "roles": [{"role": "clusterMonitor", "db": "admin"}, {"role": "read", "db": "local"}],
}
_SET = {"_id": "rs0", "members": [{"_id": 0, "host": "mongo:27017"}]}


def _run(folder: Path, state: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    (folder / "simulation.js").write_text(_SIMULATION)
    command = ["node", str(folder / "simulation.js"), json.dumps({"polls": 2, "silent": 2, **state}), str(_SCRIPT)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    "state",
    [
        {"initiated": None, "users": {}},
        {"initiated": _SET, "users": {}},
        {"initiated": _SET, "users": {"admin": {"root": _ROOT_USER}}},
        {"initiated": _SET, "users": {"admin": {"root": _ROOT_USER}, "taskmesh": {"task_svc": _TASK_USER}}},
        {
            "initiated": _SET,
            "users": {
                "admin": {"root": _ROOT_USER, "monitor": {"pwd": "old", "roles": []}},
                "taskmesh": {"task_svc": {"pwd": "old", "roles": ["root"]}},
            },
        },
    ],
    ids=["first start", "interrupted before the users", "interrupted between users", "complete", "old password"],
)
def test_it_ends_in_the_same_state(tmp_path: Path, state: dict[str, Any]) -> None:
    ran = _run(tmp_path, state)
    assert ran.returncode == 0, ran.stderr
    ended = json.loads(ran.stdout)
    assert ended["initiated"] == _SET
    assert ended["users"] == {"admin": {"root": _ROOT_USER, "monitor": _MONITOR}, "taskmesh": {"task_svc": _TASK_USER}}


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"initiated": None, "users": {}, "silent": 1000}, "no mongod within 60 s"),
        ({"initiated": _SET, "users": {}, "polls": 1000}, "no primary within 60 s"),
        ({"initiated": _SET, "users": {"admin": {"root": {"pwd": "another"}}}}, "Unauthorized"),
    ],
)
def test_it_gives_up_with_the_reason(tmp_path: Path, state: dict[str, Any], reason: str) -> None:
    ran = _run(tmp_path, state)
    assert ran.returncode != 0
    assert reason in ran.stderr
