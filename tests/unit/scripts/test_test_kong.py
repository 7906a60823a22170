"""`make test-kong`: what it does with Docker, in which order, and that it leaves alone what is not its own."""

from pathlib import Path

import pytest

from tests.support.stand_in_docker import StandIn

_PYTEST = """#!/bin/sh
echo "pytest $* at ${GATEWAY_URL:-}${GATEWAY_LIMITED_URL:-}"
grep -H . .cache/test-kong/kong.yml
exit FAILS
"""
_SAYS_WHOSE = """
  "compose up "*|"compose down "*) echo "docker $1 $2 in $COMPOSE_PROJECT_NAME, $COMPOSE_FILE, $GATEWAY_PORT" ;;
"""
_OWN = "in taskmesh-test-kong, docker-compose.yml:compose/test-kong.yml, 18000"


def _stand_in(folder: Path, cases: str = _SAYS_WHOSE, *, fails: int = 0) -> StandIn:
    stand_in = StandIn(folder, cases)
    bin_ = stand_in.checkout / ".venv/bin"
    bin_.mkdir(parents=True)
    (bin_ / "python").write_text('#!/bin/sh\necho "made by $*"\n')
    (bin_ / "pytest").write_text(_PYTEST.replace("FAILS", str(fails)))
    for command in bin_.iterdir():
        command.chmod(0o755)
    return stand_in


def _told(text: str) -> list[str]:
    starts = ("pytest ", ".cache", "docker compose up", "docker compose down", "docker compose run")
    return [line for line in text.splitlines() if line.startswith(starts)]


def test_it_tries_every_attack_with_high_limits_and_those_by_number_with_small_ones(tmp_path: Path) -> None:
    ran = _stand_in(tmp_path).run("test-kong")
    assert ran.returncode == 0, ran.stderr
    up, suite, high, *applied, again, limits, small, down = _told(ran.stdout)
    assert up == again == f"docker compose up {_OWN}"
    assert suite == "pytest tests/e2e/test_gateway_*.py at http://127.0.0.1:18000"
    assert high.endswith("made by -m tests.support.kong_limits high")
    assert [line.split()[-1] for line in applied] == ["kong-init", "kong-prune", "kong-import"]
    assert limits == "pytest tests/e2e/test_gateway_limits.py at http://127.0.0.1:18000"
    assert small.endswith("made by -m tests.support.kong_limits small")
    assert down == f"docker compose down {_OWN}"


def test_an_attack_that_succeeds_fails_it_after_all_have_been_tried(tmp_path: Path) -> None:
    ran = _stand_in(tmp_path, fails=1).run("test-kong")
    assert ran.returncode == 1
    assert ran.stdout.count("pytest ") == 2
    assert _told(ran.stdout)[-1] == f"docker compose down {_OWN}"


@pytest.mark.parametrize("fails", ['"compose up "*) exit 1 ;;', '"compose run "*) exit 1 ;;'])
def test_whatever_happens_nothing_of_it_is_left(tmp_path: Path, fails: str) -> None:
    stand_in = _stand_in(tmp_path, f"{fails}{_SAYS_WHOSE}")
    ran = stand_in.run("test-kong")
    assert ran.returncode == 1
    assert _told(ran.stdout)[-1] == f"docker compose down {_OWN}"
    assert "docker compose logs --tail 100 kong" in ran.stderr
    assert not (stand_in.checkout / ".cache/test-kong").exists()
