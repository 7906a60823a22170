"""`make test-mongod` runs the tests against a mongod in a container, and removes the container."""

from pathlib import Path

import pytest

from tests.support.stack.stand_in_docker import StandIn

_DOCKER = """
  "run "*) echo "docker $*" >&2 ;;
  "port "*) echo 127.0.0.1:32768 ;;
  "rm "*) echo "docker $*" >&2 ;;
"""


@pytest.mark.parametrize(
    ("docker", "pytest_status", "status"), [(_DOCKER, 0, 0), (_DOCKER, 1, 1), (f'"exec "*) exit 1 ;;{_DOCKER}', 0, 1)]
)
def test_the_container_is_removed_after_success_and_failure(
    tmp_path: Path, docker: str, pytest_status: int, status: int
) -> None:
    stand_in = StandIn(tmp_path, docker)
    program = stand_in.checkout / ".venv/bin/pytest"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "pytest at $MONGODB_TEST_URL"\nexit {pytest_status}\n')
    program.chmod(0o755)
    ran = stand_in.run("test-mongod")
    assert ran.returncode == status, ran.stderr
    assert "docker rm --force --volumes taskmesh-test-mongod-" in ran.stderr
    if docker == _DOCKER:
        assert "pytest at mongodb://127.0.0.1:32768/?directConnection=true" in ran.stdout
