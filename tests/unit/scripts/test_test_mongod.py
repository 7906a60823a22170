"""`make test-mongod`: a mongod of the version that runs, asked by the tests, and gone in the end."""

from pathlib import Path

import pytest

from tests.support.stack.stand_in_docker import StandIn

_SAYS = """
  "run "*) echo "docker $*" >&2 ;;
  "port "*) echo 127.0.0.1:32768 ;;
  "rm "*) echo "docker $*" >&2 ;;
"""


def _stand_in(folder: Path, cases: str = _SAYS, *, fails: int = 0) -> StandIn:
    stand_in = StandIn(folder, cases)
    pytest_ = stand_in.checkout / ".venv/bin/pytest"
    pytest_.parent.mkdir(parents=True)
    pytest_.write_text(f'#!/bin/sh\necho "pytest at $MONGODB_TEST_URL"\nexit {fails}\n')
    pytest_.chmod(0o755)
    return stand_in


def test_the_tests_are_told_where_it_is(tmp_path: Path) -> None:
    ran = _stand_in(tmp_path).run("test-mongod")
    assert ran.returncode == 0, ran.stderr
    assert "pytest at mongodb://127.0.0.1:32768/?directConnection=true" in ran.stdout
    assert "docker rm --force --volumes taskmesh-test-mongod-" in ran.stderr


@pytest.mark.parametrize(("cases", "fails"), [(_SAYS, 1), (f'"exec "*) exit 1 ;;{_SAYS}', 0)])
def test_whatever_fails_it_is_removed(tmp_path: Path, cases: str, fails: int) -> None:
    ran = _stand_in(tmp_path, cases, fails=fails).run("test-mongod")
    assert ran.returncode == 1
    assert "docker rm --force --volumes taskmesh-test-mongod-" in ran.stderr
