"""The checks of docker-compose.yml pass, and each rule detects a violation."""

from pathlib import Path

import pytest

from scripts.containers.__main__ import problems
from tests import ROOT


def test_docker_compose_yml_keeps_every_rule() -> None:
    assert problems(ROOT) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  read_only: true\n", "", "redis: read_only must be True"),
        ("cap_drop: [ALL]", "cap_drop: [NET_RAW]", "mongo: cap_drop must be ['ALL']"),
        ("no-new-privileges:true", "no-new-privileges:false", "security_opt must be"),
        ("    mem_limit: 1g\n", "", "kong: mem_limit is missing"),
        ("ulimits:", "privileged: true\n    ulimits:", "kong: privileged must not be set"),
        ('user: "999:1000"', "user: redis", "redis: user must be UID:GID"),
        ("test: [CMD, mongosh,", "tests: [CMD, mongosh,", "mongo: healthcheck is missing"),
        ("redis-data:/data]", "redis-data:/data, /run/docker.sock:/s]", "equivalent to root"),
        ("./monitoring/loki:/etc/loki:ro", "./monitoring/loki:/etc/loki", "loki: ./monitoring/loki:/etc/loki must"),
        ("stop_grace_period: 30s", "stop_grace_period: 20s", "a drain can take 22.5 s"),
        ("LOG_FORMAT: json", 'LOG_FORMAT: json\n  DRAIN_SECONDS: "15"', "a drain can take 32.5 s"),
        ("127.0.0.1:${GATEWAY_PORT", "${GATEWAY_PORT", "${GATEWAY_PORT:-8000}:8000 must be published on 127.0.0.1"),
        (
            "networks: [edge, mesh, telemetry]",
            "ports: [127.0.0.1:8080:8080]\n    networks: [edge, mesh, telemetry]",
            "edge-api: 127.0.0.1:8080:8080 must not be published",
        ),
        ("data: { internal: true }", "data: {}", "the network data must be internal"),
        ("mesh, gateway, telemetry]", "mesh, gateway, telemetry, data]", "kong: must not be in the network data"),
        ('KONG_ADMIN_LISTEN: "off"', "KONG_ADMIN_LISTEN: 0.0.0.0:8001", "KONG_ADMIN_LISTEN must be off"),
        ("KONG_STATUS_LISTEN:", "KONG_TRUSTED_IPS: 10.0.0.0/8\n      KONG_STATUS_LISTEN:", "KONG_TRUSTED_IPS lets"),
        ("GRPC_REFLECTION: ${GRPC_REFLECTION:-false}", "GRPC_REFLECTION: 'true'", "TASK_GRPC_REFLECTION must be false"),
        ("ORG_ROLE: Viewer", "ORG_ROLE: Editor", "grafana: GF_AUTH_ANONYMOUS_ORG_ROLE must be Viewer"),
        ('VIEWERS_CAN_EDIT: "true"', 'VIEWERS_CAN_EDIT: "false"', "grafana: GF_USERS_VIEWERS_CAN_EDIT must be true"),
        ("EDGE_HOST:", "EDGE_HOTS:", "edge-api: EDGE_HOTS is not one of its settings"),
        ("target: web }", "target: web }\n    environment: { A: b }", "web: A is not one of its settings"),
        ("redis://notify_svc@", "redis://notify_svc:secret@", "notify-svc: : Value error, REDIS_URL"),
        ("ENVIRONMENT: production", "ENVIRONMENT: development", "ENVIRONMENT must be production"),
        ("  MESH_TOKEN_FILE: /run/secrets/mesh-token\n", "", "MESH_TOKEN_FILE"),
        ("EDGE_HOST:", "MESH_TOKEN: abc\n      EDGE_HOST:", "MESH_TOKEN contains a secret"),
        ("secrets: [mesh-token, redis-n", "secrets: [redis-n", "it reads the secret mesh-token and does not get it"),
        ("secrets: [mesh-token]", "secrets: [mesh-token, mongo-keyfile]", "mongo-keyfile and does not read it"),
    ],
)
def test_each_rule_detects_a_violation(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert old in text
    (tmp_path / "docker-compose.yml").write_text(text.replace(old, new, 1))
    assert problem in "\n".join(problems(tmp_path))
