"""The checks of docker-compose.yml and Dockerfile: in order as they are, and each catches what it is there for."""

import shutil
from pathlib import Path, PurePosixPath

import pytest

from scripts.containers.__main__ import problems
from scripts.containers.dockerignore import Ignore
from scripts.containers.queue_users import rights
from tests import ROOT

_FILES = ("docker-compose.yml", "Dockerfile", ".dockerignore", ".gitignore", "pyproject.toml", "requirements-dev.txt")
_SERVICES = (path.name for path in ROOT.glob("*_svc"))
_FOLDERS = ("compose", "kong", "chassis", "edge_api", "gen", "web", "monitoring", *_SERVICES)
_NOT_COPIED = shutil.ignore_patterns("__pycache__", "node_modules", "build", ".svelte-kit")
_COMPOSE, _DOCKERFILE, _ACL = "docker-compose.yml", "Dockerfile", "compose/redis/users.acl"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in _FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=_NOT_COPIED)
    return tmp_path


def test_the_files_of_this_project_are_in_order() -> None:
    assert problems(ROOT) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        # names
        (
            _COMPOSE,
            "networks: [edge, mesh, telemetry]",
            "networks: [edge, mush, telemetry]",
            "mush is not among the networks",
        ),
        (_COMPOSE, "secrets: [mongo-keyfile]", "secrets: [mongo-key]", "mongo-key is not among the secrets"),
        (_COMPOSE, "volumes: [redis-data:/data]", "volumes: [redis:/data]", "redis is not among the volumes"),
        (_COMPOSE, "source: redis-users,", "source: redis-user,", "redis-user is not among the configs"),
        (
            _COMPOSE,
            "mongo: { condition: service_healthy }",
            "mango: { condition: service_healthy }",
            "no service mango",
        ),
        (_COMPOSE, "network_mode: service:mongo", "network_mode: service:mango", "there is no service mango"),
        (_COMPOSE, "  redis-data:\n", "  redis-data:\n  spare:\n", "spare, one of the volumes, is used by no service"),
        (_COMPOSE, "file: ./compose/redis/start", "file: ./compose/redis/begin", "redis-start has no file"),
        (_COMPOSE, "file: ./.secrets/mesh-token", "file: ./mesh-token", "mesh-token is not in ./.secrets/mesh-token"),
        (".gitignore", "/.secrets/", "", ".gitignore does not name /.secrets/"),
        # what a container may do
        (_COMPOSE, "  read_only: true\n", "", "redis: read_only must be True"),
        (_COMPOSE, "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "mongo: cap_drop must be ['ALL']"),
        (_COMPOSE, "no-new-privileges:true", "no-new-privileges:false", "security_opt must be"),
        (_COMPOSE, "    mem_limit: 1g\n", "", "kong: mem_limit is missing"),
        (_COMPOSE, "  pids_limit: 128\n", "", "task-svc: pids_limit is missing"),
        (_COMPOSE, "restart: unless-stopped", "restart: always", "edge-api: restart must be unless-stopped"),
        (_COMPOSE, 'restart: "no"', "restart: on-failure", "kong-init: restart must be no"),
        (_COMPOSE, "max-size: 10m, ", "", "its log may grow without end"),
        (_COMPOSE, 'user: "999:1000"', "user: redis", "redis: user must be two numbers"),
        (_COMPOSE, "ulimits:", "privileged: true\n    ulimits:", "kong: privileged must not be set"),
        (_COMPOSE, "ulimits:", "container_name: kong\n    ulimits:", "kong: container_name must not be set"),
        (_COMPOSE, "test: [CMD, mongosh,", "tests: [CMD, mongosh,", "mongo: it has no health check"),
        (_COMPOSE, "stop_grace_period: 30s", "stop_grace_period: 20s", "a drain may take 20.5 s"),
        (_COMPOSE, "LOG_FORMAT: json", 'LOG_FORMAT: json\n  DRAIN_SECONDS: "15"', "a drain may take 30.5 s"),
        (_COMPOSE, "127.0.0.1:${GATEWAY_PORT", "${GATEWAY_PORT", "${GATEWAY_PORT:-8000}:8000 is published beyond"),
        (
            _COMPOSE,
            "networks: [edge, mesh, telemetry]",
            "ports: [127.0.0.1:8080:8080]\n    networks: [edge, mesh, telemetry]",
            "edge-api: is published, and only grafana, kong, prometheus may be",
        ),
        (_COMPOSE, "SHUTDOWN_TIMEOUT: 15s", "SHUTDOWN_TIMEOUT: 1m", "kong: a drain may take 60 s"),
        (_COMPOSE, "data: { internal: true }", "data: {}", "the network data is not internal"),
        (_COMPOSE, "edge: { internal: true }", "edge:", "the network edge is not internal"),
        (_COMPOSE, "mesh, gateway, telemetry]", "mesh, gateway, telemetry, data]", "kong: its networks are not those"),
        (
            _COMPOSE,
            "networks: [edge, mesh, telemetry]",
            "networks: [edge, mesh, telemetry, data]",
            "edge-api: its networks are not those",
        ),
        (_COMPOSE, "redis-data:/data]", "redis-data:/data, /run/docker.sock:/s]", "the engine's socket"),
        (_COMPOSE, ":/var/run/docker.sock:ro", ":/var/run/docker.sock", "alloy: the engine's socket"),
        (_COMPOSE, "./monitoring/loki:/etc/loki:ro", "./monitoring/lok:/etc/loki:ro", "no folder ./monitoring/lok"),
        (
            _COMPOSE,
            "./monitoring/loki:/etc/loki:ro",
            "./monitoring/loki:/etc/loki",
            "loki: ./monitoring/loki:/etc/loki lets",
        ),
        # variables
        (_COMPOSE, "EDGE_HOST:", "EDGE_HOTS:", "edge-api: EDGE_HOTS is none of its settings"),
        (_COMPOSE, "target: web }", "target: web }\n    environment: { A: b }", "web: A is none of its settings"),
        (_COMPOSE, "EDGE_HOST: 0.0.0.0", "TASK_SWEEP_SECONDS: 2", "edge-api: TASK_SWEEP_SECONDS is none of its"),
        (_COMPOSE, "TASK_GRPC_REFLECTION: ${GRPC_", "TASK_GRPC_REFLECTION: maybe # ${", "task-svc: grpc_reflection: "),
        (
            _COMPOSE,
            "redis://notify_svc@",
            "redis://notify_svc:secret@",
            "notify-svc: : Value error, REDIS_URL must hold",
        ),
        (_COMPOSE, "ENVIRONMENT: production", "ENVIRONMENT: development", "ENVIRONMENT must be production"),
        (_COMPOSE, "  MESH_TOKEN_FILE: /run/secrets/mesh-token\n", "", "MESH_TOKEN_FILE is needed"),
        (_COMPOSE, "EDGE_HOST:", "MESH_TOKEN: abc\n      EDGE_HOST:", "MESH_TOKEN holds a secret"),
        (
            _COMPOSE,
            "secrets: [mesh-token, redis-n",
            "secrets: [redis-n",
            "reads the secret mesh-token and is not given",
        ),
        (
            _COMPOSE,
            "secrets: [mesh-token]",
            "secrets: [mesh-token, mongo-keyfile]",
            "mongo-keyfile and does not read it",
        ),
        (
            _COMPOSE,
            "secrets: [kong-certificate, ",
            "secrets: [mesh-token, kong-certificate, ",
            "kong: it is given the secret mesh-token and does not read it",
        ),
        (
            _COMPOSE,
            "KONG_PG_PASSWORD_FILE: /run/secrets/kong-db-password",
            "KONG_PG_PASSWORD: abc",
            "kong: KONG_PG_PASSWORD holds a secret",
        ),
        # the gateway
        (_COMPOSE, 'KONG_ADMIN_LISTEN: "off"', "KONG_ADMIN_LISTEN: 0.0.0.0:8001", "KONG_ADMIN_LISTEN must be off"),
        (_COMPOSE, "MAX_BODY_SIZE: 256k", "MAX_BODY_SIZE: 1m", "CLIENT_MAX_BODY_SIZE must be 256k"),
        (_COMPOSE, ",uid=1000,gid=1000", "", "kong: its tmpfs /run/kong must have uid=1000 and gid=1000"),
        (_COMPOSE, 'KONG_HEADERS: "off"', "KONG_HEADERS: server_tokens", "kong: KONG_HEADERS must be off"),
        (_COMPOSE, "KONG_UNTRUSTED_LUA: sandbox", 'KONG_UNTRUSTED_LUA: "on"', "KONG_UNTRUSTED_LUA must be sandbox"),
        (
            _COMPOSE,
            "KONG_STATUS_LISTEN:",
            "KONG_TRUSTED_IPS: 10.0.0.0/8\n      KONG_STATUS_LISTEN:",
            "TRUSTED_IPS lets",
        ),
        (_COMPOSE, 'KONG_DNS_VALID_TTL: "5"', 'KONG_DNS_VALID_TTL: "600"', "KONG_DNS_VALID_TTL must be at most 10 s"),
        (_COMPOSE, '      KONG_DNS_STALE_TTL: "5"\n', "", "KONG_DNS_STALE_TTL must be at most 10 s"),
        (_COMPOSE, "KONG_NGINX_HTTP_CLIENT_BODY", "KONG_NGINX_HTTP_CLIENT", "BODY_TIMEOUT is missing"),
        (_COMPOSE, "      KONG_NGINX_HTTP_CLIENT_HEADER_TIMEOUT: 10s\n", "", "HEADER_TIMEOUT is missing"),
        (
            _COMPOSE,
            "NOTIFY_GRPC_REFLECTION: ${GRPC_REFLECTION:-false}",
            "NOTIFY_GRPC_REFLECTION: ${GRPC_REFLECTION:-true}",
            "notify-svc: NOTIFY_GRPC_REFLECTION must be false",
        ),
        (_COMPOSE, "      - 127.0.0.1:${GATEWAY_GRPC_PORT:-9080}:9080\n", "", "publishes ['8000', '8443']"),
        (_COMPOSE, ",https://localhost:${GATEWAY_TLS_PORT:-8443}", "", "PUBLIC_ORIGINS lacks https://localhost:8443"),
        (_COMPOSE, "${GATEWAY_TLS_PORT:-8443}:8443", "${GATEWAY_TLS_PORT:-8443}:8100", "a port that is not published"),
        (
            _COMPOSE,
            "kong-import: { condition: service_completed_successfully }",
            "mongo: { condition: service_healthy }",
            "kong: must wait until",
        ),
        (
            _COMPOSE,
            "kong-init: { condition: service_completed_successfully }",
            "kong-init: { condition: service_started }",
            "kong-prune: must wait until kong-init has ended well",
        ),
        (_COMPOSE, "target: /etc/taskmesh/kong/demo-users.yml", "target: /etc/demo-users.yml", "kong-init: it reads"),
        (_COMPOSE, "target: /etc/taskmesh/kong/prune.sql", "target: /etc/taskmesh/prune.sql", "kong-prune: it reads"),
        (_COMPOSE, "file: ./kong/render", "file: ./kong/prune", "kong-import: it reads ['demo-users.yml', 'init'"),
        (
            _COMPOSE,
            "[kong-db-password, kong-session-secret, kong-users",
            "[kong-db-password, kong-users",
            "the secrets",
        ),
        ("kong/kong.yml", "@SESS_SECRET@", "@OTHER_SECRET@", "kong-init: it reads the secrets"),
        (
            _COMPOSE,
            "    entrypoint: [bash, /etc/taskmesh/kong/init, import]",
            "    entrypoint: [bash, /etc/taskmesh/kong/init, import]\n    environment: {}",
            "what one has proved, the other must import",
        ),
        (_COMPOSE, "kong:3.9.3", "kong:3.9.2", "kong and kong-init: their images differ"),
        # images
        (_COMPOSE, "mongo:8.0.29", "mongo:8.0", "the image mongo:8.0 is not pinned"),
        (_COMPOSE, "redis:8.10.1-alpine", "redis:latest", "the image redis:latest is not pinned"),
        (_COMPOSE, "postgres:15.18-", "postgres:15-", "the image postgres:15-bookworm is not pinned"),
        (_COMPOSE, "kong:3.9.3", "kong:3.9", "the image kong:3.9 is not pinned"),
        (_DOCKERFILE, "FROM python:3.13.15-slim-trixie", "FROM python:slim", "the image python:slim is not pinned"),
        (_DOCKERFILE, "FROM node:24.", "FROM node:22.", "is not the Node 24."),
        (_COMPOSE, "target: edge-api", "target: edge", "edge-api: Dockerfile has no target edge"),
        (_DOCKERFILE, "USER 10001:10001", "USER root", "task-svc: USER must be two numbers"),
        (_DOCKERFILE, "USER 101:101", "USER 0:0", "web: USER must be two numbers"),
        (_DOCKERFILE, "STOPSIGNAL SIGTERM", "STOPSIGNAL SIGINT", "STOPSIGNAL must be one of"),
        (_DOCKERFILE, 'CMD ["python", "-m", "task_svc"]', "CMD python -m task_svc", "task-svc: CMD must be a list"),
        (
            _DOCKERFILE,
            'CMD ["python", "-m", "chassis.probe", "http',
            "CMD [http",
            "edge-api: HEALTHCHECK must be a list",
        ),
        (_DOCKERFILE, "COPY edge_api edge_api", "COPY edge edge_api", "edge-build: COPY of edge, which is not there"),
        (_DOCKERFILE, "--from=edge-build", "--from=edge", "edge-api: COPY from edge, which is no stage"),
        (".dockerignore", "!chassis\n", "", "COPY of chassis, but .dockerignore keeps chassis/__init__.py out"),
        (".dockerignore", "!web/src\n", "", "COPY of web/src, but .dockerignore keeps web/src/app.css out"),
        (".dockerignore", "**/*.pyi", "**/*.lua", ".dockerignore keeps notify_svc/"),
        (".dockerignore", "*\n!chassis", "!chassis", ".dockerignore lets .secrets/mesh-token into the build"),
        (_DOCKERFILE, 'version="0.1.0"', 'version="0.0.9"', "its label says another version than 0.1.0"),
        (_DOCKERFILE, 'base.name="python:3.13.15', 'base.name="python:3.12.1', "names no image that it is made from"),
        (_COMPOSE, "taskmesh/edge-api:0.1.0", "taskmesh/edge-api:0.2.0", "edge-api: its image is not tagged 0.1.0"),
        # the queue's users
        (_ACL, " +zadd", "", "notify_svc may not zadd, which "),
        (_ACL, " +xreadgroup", "", "notify_svc may not xreadgroup, which "),
        (_ACL, " +xinfo|groups", "", "notify_svc may not xinfo|groups, which "),
        (_ACL, "+xadd +xrange +xread ", "+xadd +xread ", "task_svc may not xrange, which "),
        (_ACL, " +ping +multi", " +ping +multi +config|get", "notify_svc may config|get, which nothing calls"),
        (_ACL, " +xgroup|delconsumer", "", "notify_svc may not xgroup|delconsumer, which "),
    ],
)
def test_what_breaks_a_rule_is_named(copy: Path, file: str, old: str, new: str, problem: str) -> None:
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1))
    assert problem in "\n".join(problems(copy))


def test_a_digest_behind_a_tag_is_as_good(copy: Path) -> None:
    for file, image in ((_COMPOSE, "redis:8.10.1-alpine"), (_DOCKERFILE, "FROM python:3.13.15-slim-trixie")):
        text = (copy / file).read_text()
        (copy / file).write_text(text.replace(image, f"{image}@sha256:{'a' * 64}"))
    assert problems(copy) == []


@pytest.mark.parametrize(
    ("lines", "path", "answer"),
    [
        ("*\n!a", "a/b/c", False),
        ("*\n!a", "b", True),
        ("*\n!a\n**/*.pyi", "a/b/c.pyi", True),
        ("*\n!a\n**/__pycache__", "a/b/__pycache__/c", True),
        ("*.pyi", "a/b.pyi", False),
        ("a/*.py", "a/b.py", True),
        ("# *\n", "a", False),
        ("a?c", "abc", True),
    ],
)
def test_the_last_line_that_fits_decides(lines: str, path: str, answer: bool) -> None:
    assert Ignore(lines).keeps_out(PurePosixPath(path)) is answer


def test_nobody_has_rights_over_the_server_itself() -> None:
    given = rights(ROOT / _ACL)
    assert set(given) == {"default", "task_svc", "notify_svc", "monitor"}
    assert given["default"] == set()
    forbidden = {
        "config",
        "flushall",
        "flushdb",
        "keys",
        "scan",
        "acl",
        "shutdown",
        "debug",
        "eval",
        "function",
        "@all",
    }
    for commands in given.values():
        assert not forbidden & {command.split("|")[0] for command in commands}
