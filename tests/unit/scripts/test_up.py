"""`make up` and its kin: what they ask of Docker, and what they say where it is not there."""

import re
import shutil
import stat
from pathlib import Path

import pytest

from notify_svc import channel_file
from tests.support.stand_in_docker import StandIn


def _without_docker(folder: Path) -> str:
    """A PATH with what the scripts need and no docker."""
    folder.mkdir()
    for command in ("bash", "dirname", "sed", "sort", "head", "mkdir", "chmod", "cat"):
        found = shutil.which(command)
        assert found
        (folder / command).symlink_to(found)
    return str(folder)


def test_up_builds_waits_for_health_and_says_where_it_is(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose port edge-api 8080") echo 127.0.0.1:9999 ;;').run("up", "--scale", "task-svc=2")
    assert ran.returncode == 0
    assert "docker compose up --build --detach --wait --wait-timeout 300 --scale task-svc=2" in ran.stdout
    assert "http://127.0.0.1:9999/api/docs" in ran.stdout


def test_up_lets_the_containers_users_read_what_is_mounted(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    start = stand_in.checkout / "compose/redis/start"
    start.chmod(0o600)
    assert stand_in.run("up").returncode == 0
    assert stat.S_IMODE(start.stat().st_mode) == 0o644


def test_up_that_fails_shows_the_containers_and_says_so(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose up"*) exit 1 ;;').run("up")
    assert ran.returncode == 1
    assert "Not everything came up" in ran.stderr
    assert "docker compose ps --all" in ran.stderr
    assert "curl" not in ran.stdout


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ('"compose version"*) exit 1 ;;', "`docker compose version` says: nothing"),
        ('"compose version"*) echo v2.9.1 ;;', "`docker compose version` says: 2.9.1"),
        ('"version --format"*) echo "Cannot connect to it" >&2; exit 1 ;;', "does not answer: Cannot connect to it"),
    ],
)
@pytest.mark.parametrize("script", ["up", "compose"])
def test_what_is_missing_is_said_in_words_with_another_way(tmp_path: Path, script: str, cases: str, said: str) -> None:
    stand_in = StandIn(tmp_path, cases)
    ran = stand_in.run(script, "ps")
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "`make dev` runs the whole system" in ran.stderr
    assert not (stand_in.checkout / ".secrets").exists()


def test_no_docker_at_all_is_said_in_words(tmp_path: Path) -> None:
    ran = StandIn(tmp_path).run("up", path=_without_docker(tmp_path / "path"))
    assert ran.returncode == 1
    assert "Docker is not installed" in ran.stderr


@pytest.mark.parametrize("version", ["2.24.0", "v2.40.3-desktop.1", "5.0.0"])
def test_a_version_that_is_new_enough_will_do(tmp_path: Path, version: str) -> None:
    ran = StandIn(tmp_path, f'"compose version --short") echo {version} ;;').run("compose", "ps", "--all")
    assert ran.stdout == "docker compose ps --all\n"


def test_secrets_are_made_once_each_its_own_and_for_their_owner_alone(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    secrets = stand_in.checkout / ".secrets"
    assert stand_in.run("secrets").returncode == 0
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    named = re.findall(r"file: \./\.secrets/(\S+)", (stand_in.checkout / "docker-compose.yml").read_text())
    assert sorted(made) == sorted(named)
    assert len(set(made.values())) == len(made)
    assert all(re.fullmatch(r"[0-9a-f]{64}", made[name]) for name in made.keys() - {"notify-channels"})
    assert channel_file.read(secrets / "notify-channels", is_development=True) == []
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o644}

    (secrets / "mesh-token").unlink()
    ran = stand_in.run("secrets")
    assert ran.stdout == f"Made the secret {secrets}/mesh-token\n"
    again = {path.name: path.read_text() for path in secrets.iterdir()}
    assert again.pop("mesh-token") != made.pop("mesh-token")
    assert again == made


def test_images_are_pinned_to_the_digests_of_today(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path, f'"buildx imagetools inspect "*) echo sha256:{"a" * 64} ;;')
    files = [stand_in.checkout / name for name in ("Dockerfile", "docker-compose.yml")]
    before = [file.read_text() for file in files]
    for _ in range(2):  # what is pinned is pinned again
        assert stand_in.run("pin-images").returncode == 0
        after = [file.read_text() for file in files]
        assert [text.count("@sha256:") for text in after] == [1, 3]
        assert [text.replace(f"@sha256:{'a' * 64}", "") for text in after] == before


def test_an_image_without_a_digest_stops_the_pinning(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path, '"buildx imagetools inspect "*) echo "not found" ;;')
    ran = stand_in.run("pin-images")
    assert ran.returncode == 1
    assert "has no digest: not found" in ran.stderr
