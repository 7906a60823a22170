"""`make up` and its kin: what they ask of Docker, and what they say where it is not there."""

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


def _without_docker(folder: Path) -> str:
    """A PATH with what the scripts need and no docker."""
    folder.mkdir()
    for command in ("bash", "dirname", "sed", "sort", "head", "mkdir", "chmod", "cat"):
        found = shutil.which(command)
        assert found
        (folder / command).symlink_to(found)
    return str(folder)


def test_up_builds_waits_for_health_and_says_where_it_is(tmp_path: Path) -> None:
    ran = StandIn(tmp_path, '"compose port kong 8000") echo 127.0.0.1:9999 ;;').run("up", "--scale", "task-svc=2")
    assert ran.returncode == 0
    assert "docker compose up --build --detach --wait --wait-timeout 300 --scale task-svc=2" in ran.stdout
    assert "  the page     http://localhost:9999\n" in ran.stdout
    assert "https://127.0.0.1:8443\n" in ran.stdout
    assert "http://127.0.0.1:3000\n" in ran.stdout


@pytest.mark.parametrize(("chosen", "told"), [({}, "monitoring/request,balancer"), ({"COMPOSE_PROFILES": ""}, "/")])
def test_monitoring_is_started_unless_it_is_left_out(tmp_path: Path, chosen: dict[str, str], told: str) -> None:
    stand_in = StandIn(tmp_path, '"compose up"*) echo "$COMPOSE_PROFILES/$KONG_TRACING" ;;')
    ran = stand_in.run("up", **chosen)
    assert told in ran.stdout.splitlines()
    assert ("Grafana" in ran.stdout) is (not chosen)


@pytest.mark.parametrize(("alloy", "profiles"), [("", ""), ("1234", "monitoring")])
def test_kong_apply_sends_spans_only_where_somebody_takes_them(tmp_path: Path, alloy: str, profiles: str) -> None:
    cases = f'"compose ps --quiet alloy") echo {alloy} ;; "compose up"*) echo "<$COMPOSE_PROFILES>" ;;'
    assert f"<{profiles}>" in StandIn(tmp_path, cases).run("kong-apply").stdout


def test_up_says_loudly_that_the_demo_users_are_in(tmp_path: Path) -> None:
    told = StandIn(tmp_path, '"compose config kong-import") echo "      ENVIRONMENT: development" ;;').run("up").stdout
    assert "THE DEMO USERS ARE IN" in told
    assert "-H 'x-api-key: demo-key'" in told
    assert "sign in as demo with demo-password" in told


def test_up_in_production_tells_how_to_add_users_and_nothing_of_the_demo(tmp_path: Path) -> None:
    told = StandIn(tmp_path, '"compose config kong-import") echo "      ENVIRONMENT: production" ;;').run("up").stdout
    assert "make kong-user ARGS='add NAME'" in told
    assert "demo-key" not in told
    assert "demo-password" not in told


_AGAIN = "up --detach --wait --wait-timeout 120 --no-deps --force-recreate kong"


@pytest.mark.parametrize(("before", "after", "again"), [("one", "one", 1), ("one", "two", 0), ("", "one", 0)])
def test_a_gateway_that_ran_all_the_time_hears_of_what_was_imported(
    tmp_path: Path, before: str, after: str, again: int
) -> None:
    seen = tmp_path / "seen"
    ids = f'"compose ps --quiet kong") if [ -e {seen} ]; then echo {after}; else echo {before}; touch {seen}; fi ;;'
    ran = StandIn(tmp_path, ids).run("up")
    assert ran.returncode == 0
    assert ran.stdout.count(f"docker compose {_AGAIN}\n") == again


def test_kong_apply_runs_the_steps_anew_in_order_and_then_kong(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    ran = stand_in.run("kong-apply")
    assert ran.returncode == 0
    *told, demo = ran.stdout.splitlines()[-5:]
    assert "The demo users are in" in demo
    steps = [f"docker compose run --rm --no-deps -T kong-{step}" for step in ("init", "prune", "import")]
    assert told == [*steps, f"docker compose {_AGAIN}"]


@pytest.mark.parametrize("step", ["kong-init", "kong-prune", "kong-import"])
def test_kong_goes_on_as_it_is_when_a_step_fails(tmp_path: Path, step: str) -> None:
    ran = StandIn(tmp_path, f'"compose run "*" {step}") exit 1 ;;').run("kong-apply")
    assert ran.returncode == 1
    assert _AGAIN not in ran.stdout


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
    others = {"kong-certificate", "kong-certificate-key", "kong-users", "notify-channels"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", made[name]) for name in made.keys() - others)
    assert made["kong-users"] == ""
    assert channel_file.read(secrets / "notify-channels", is_development=True) == []
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets.iterdir()} == {0o644}

    (secrets / "mesh-token").unlink()
    ran = stand_in.run("secrets")
    assert ran.stdout == f"Made the secret {secrets}/mesh-token\n"
    again = {path.name: path.read_text() for path in secrets.iterdir()}
    assert again.pop("mesh-token") != made.pop("mesh-token")
    assert again == made


def test_the_certificate_is_good_for_its_key_and_for_every_name_of_the_gateway(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    assert stand_in.run("secrets").returncode == 0
    certificate, key = (
        str(stand_in.checkout / ".secrets" / name) for name in ("kong-certificate", "kong-certificate-key")
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    for name in ("localhost", "127.0.0.1", "task.mesh.localhost", "notify.mesh.localhost"):
        client = ssl.create_default_context(cafile=certificate)
        _shake_hands(server, client, name)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(server, ssl.create_default_context(cafile=certificate), "elsewhere.example")


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> None:
    """A handshake without a network; raises what the client finds wrong."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)]
    for _ in range(4):
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert sides[0].getpeercert()


def test_a_certificate_of_ones_own_is_kept(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    secrets = stand_in.checkout / ".secrets"
    secrets.mkdir()
    for name in ("kong-certificate", "kong-certificate-key"):
        (secrets / name).write_text("my own")
    assert stand_in.run("secrets").returncode == 0
    assert (secrets / "kong-certificate").read_text() == (secrets / "kong-certificate-key").read_text() == "my own"


def test_what_was_made_can_be_rendered(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path)
    assert stand_in.run("secrets").returncode == 0
    assert list(rendered.read(stand_in.checkout / ".secrets", "production").consumers) == ["anonymous"]


def test_images_are_pinned_to_the_digests_of_today(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path, f'"buildx imagetools inspect "*) echo sha256:{"a" * 64} ;;')
    files = [stand_in.checkout / name for name in ("Dockerfile", "docker-compose.yml")]
    before = [file.read_text() for file in files]
    for _ in range(2):  # what is pinned is pinned again
        assert stand_in.run("pin-images").returncode == 0
        after = [file.read_text() for file in files]
        assert [text.count("@sha256:") for text in after] == [3, 14]
        assert [text.replace(f"@sha256:{'a' * 64}", "") for text in after] == before


def test_an_image_without_a_digest_stops_the_pinning(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path, '"buildx imagetools inspect "*) echo "not found" ;;')
    ran = stand_in.run("pin-images")
    assert ran.returncode == 1
    assert "has no digest: not found" in ran.stderr
