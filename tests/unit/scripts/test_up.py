"""`make up`, `make kong-apply`, and the scripts that they use: the commands for Docker, the secrets, the messages."""

import contextlib
import re
import shutil
import ssl
import stat
from pathlib import Path

import pytest

from kong import rendered
from notify_svc.delivery import channel_file
from tests.support.stack.stand_in_docker import StandIn

_RECREATE_KONG = "docker compose up --detach --wait --wait-timeout 120 --no-deps --force-recreate kong\n"


_PRODUCTION = '{"services": {"kong-import": {"environment": {"ENVIRONMENT": "production"}}}}'


def test_up_builds_waits_until_all_is_healthy_and_prints_the_addresses(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose port kong 8000") echo 127.0.0.1:9999 ;;').run("up", "--scale", "task-svc=2")
    assert ran.returncode == 0
    assert "docker compose up --build --detach --wait --wait-timeout 300 --scale task-svc=2" in ran.stdout
    for address in ("http://localhost:9999\n", "https://127.0.0.1:8443\n", "http://127.0.0.1:3000\n"):
        assert address in ran.stdout


@pytest.mark.parametrize(("chosen", "used"), [({}, "monitoring/request,balancer"), ({"COMPOSE_PROFILES": ""}, "/")])
def test_an_empty_compose_profiles_omits_monitoring(tmp_path: Path, chosen: dict[str, str], used: str) -> None:
    stand_in = StandIn(tmp_path, '"compose up"*) echo "$COMPOSE_PROFILES/$KONG_TRACING" ;;')
    ran = stand_in.run("up", **chosen)
    assert used in ran.stdout.splitlines()
    assert ("Grafana" in ran.stdout) is (not chosen)


@pytest.mark.parametrize(("alloy", "profiles"), [("", ""), ("1234", "monitoring")])
def test_kong_apply_keeps_the_choice_of_monitoring(tmp_path: Path, alloy: str, profiles: str) -> None:
    cases = f'"compose ps --quiet alloy") echo {alloy} ;; "compose up"*) echo "<$COMPOSE_PROFILES>" ;;'
    assert f"<{profiles}>" in StandIn(tmp_path, cases).run("kong-apply").stdout


def test_up_warns_about_the_demo_users(tmp_path: Path) -> None:
    ran = StandIn(tmp_path).run("up")
    for text in (
        "WARNING: the demo users are active",
        "-H 'x-api-key: demo-key'",
        "sign in as demo with demo-password",
    ):
        assert text in ran.stdout


def test_up_in_production_explains_how_to_add_users(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose config "*) echo "$JSON" ;;').run("up", JSON=_PRODUCTION)
    assert "make kong-user ARGS='add NAME'" in ran.stdout
    assert "demo-" not in ran.stdout


@pytest.mark.parametrize(("before", "after", "recreations"), [("one", "one", 1), ("one", "two", 0), ("", "one", 0)])
def test_up_recreates_a_kong_that_was_already_running(
    tmp_path: Path, before: str, after: str, recreations: int
) -> None:
    seen = tmp_path / "seen"
    ids = f'"compose ps --quiet kong") if [ -e {seen} ]; then echo {after}; else echo {before}; touch {seen}; fi ;;'
    ran = StandIn(tmp_path, ids).run("up")
    assert ran.returncode == 0
    assert ran.stdout.count(_RECREATE_KONG) == recreations


def test_kong_apply_runs_the_steps_in_order_and_then_recreates_kong(tmp_path: Path) -> None:
    ran = StandIn(tmp_path).run("kong-apply")
    assert ran.returncode == 0
    steps = [f"docker compose run --rm --no-deps -T kong-{step}\n" for step in ("init", "prune", "import")]
    assert "".join([*steps, _RECREATE_KONG]) in ran.stdout


@pytest.mark.parametrize("step", ["kong-init", "kong-prune", "kong-import"])
def test_a_failed_step_leaves_the_running_kong_unchanged(tmp_path: Path, step: str) -> None:
    ran = StandIn(tmp_path, f'"compose run "*" {step}") exit 1 ;;').run("kong-apply")
    assert ran.returncode == 1
    assert _RECREATE_KONG not in ran.stdout


def test_up_makes_mounted_files_readable_for_the_containers_users(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    start = stand_in.checkout / "compose/redis/start"
    start.chmod(0o600)
    assert stand_in.run("up").returncode == 0
    assert stat.S_IMODE(start.stat().st_mode) == 0o644


def test_up_shows_the_containers_if_it_fails(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose up"*) exit 1 ;;').run("up")
    assert ran.returncode == 1
    assert "docker compose ps --all" in ran.stderr
    assert "curl" not in ran.stdout


@pytest.mark.parametrize(
    ("cases", "message"),
    [
        ('"compose version"*) exit 1 ;;', "`docker compose version` reports: nothing"),
        ('"compose version"*) echo v2.9.1 ;;', "`docker compose version` reports: 2.9.1"),
        ('"version --format"*) echo "Cannot connect to it" >&2; exit 1 ;;', "is unavailable: Cannot connect to it"),
        ('"version --format"*) echo 24.0.9 ;;', "Docker Engine 25 or newer is required; this one is 24.0.9"),
    ],
)
def test_an_unusable_docker_is_reported_with_an_alternative(tmp_path: Path, cases: str, message: str) -> None:
    stand_in = StandIn(tmp_path, cases)
    ran = stand_in.run("up")
    assert ran.returncode == 1
    assert message in ran.stderr
    assert "`make dev`" in ran.stderr
    assert not (stand_in.checkout / ".secrets").exists()


def test_a_missing_docker_is_reported(tmp_path: Path) -> None:
    commands = tmp_path / "path"
    commands.mkdir()
    for command in ("bash", "dirname"):
        found = shutil.which(command)
        assert found
        (commands / command).symlink_to(found)
    ran = StandIn(tmp_path).run("up", path=str(commands))
    assert ran.returncode == 1
    assert "Docker is not installed" in ran.stderr


@pytest.mark.parametrize("version", ["2.26.0", "v2.40.3-desktop.1", "5.0.0"])
def test_supported_versions_of_compose_are_accepted(tmp_path: Path, version: str) -> None:
    ran = StandIn(tmp_path, f'"compose version --short") echo {version} ;;').run("compose", "ps", "--all")
    assert ran.stdout == "docker compose ps --all\n"


def test_secrets_are_created_once_with_the_right_modes(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    secrets = stand_in.checkout / ".secrets"
    assert stand_in.run("secrets").returncode == 0
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    named = re.findall(r"file: \./\.secrets/(\S+)", (stand_in.checkout / "docker-compose.yml").read_text())
    assert sorted(made) == sorted(named)
    assert len(set(made.values())) == len(made)
    others = {"kong-certificate", "kong-certificate-key", "kong-users", "notify-channels"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", made[name]) for name in made.keys() - others)
    assert channel_file.read(secrets / "notify-channels", is_development=True) == []
    assert list(rendered.read(secrets, "production").consumers) == ["anonymous"]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o644}

    (secrets / "mesh-token").unlink()
    assert stand_in.run("secrets").returncode == 0
    again = {path.name: path.read_text() for path in secrets.iterdir()}
    assert again.pop("mesh-token") != made.pop("mesh-token")
    assert again == made


def test_the_certificate_is_valid_for_every_name_of_the_gateway(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    assert stand_in.run("secrets").returncode == 0
    certificate, key = (stand_in.checkout / ".secrets" / name for name in ("kong-certificate", "kong-certificate-key"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=certificate)
    for name in ("localhost", "127.0.0.1", "task.mesh.localhost", "notify.mesh.localhost"):
        _shake_hands(server, client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(server, client, "elsewhere.example")


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """Do a TLS handshake in memory. Raise the client's error."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)]
    for _ in range(4):
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert sides[0].getpeercert()


def test_images_are_pinned_to_their_current_digests(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path, f'"buildx imagetools inspect "*) echo sha256:{"a" * 64} ;;')
    files = [stand_in.checkout / name for name in ("Dockerfile", "docker-compose.yml")]
    before = [file.read_text() for file in files]
    for _ in range(2):  # pinned images are pinned again
        assert stand_in.run("pin-images").returncode == 0
        after = [file.read_text() for file in files]
        assert [text.count("@sha256:") for text in after] == [3, 14]
        assert [text.replace(f"@sha256:{'a' * 64}", "") for text in after] == before


def test_an_image_without_a_digest_is_an_error(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"buildx imagetools inspect "*) echo "not found" ;;').run("pin-images")
    assert ran.returncode == 1
    assert "has no digest: not found" in ran.stderr
