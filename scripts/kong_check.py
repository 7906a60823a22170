"""Check kong.yml without Kong.

Render it with random secrets for development and for production, load the result into the development gateway, and
apply `kong.policies` with the paths of the edge and the services of the protos.
"""

import secrets
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from google.protobuf.descriptor import FileDescriptor
from notify.v1 import dead_letters_pb2, notify_pb2
from notify.v1 import events_pb2 as notify_events_pb2
from task.v1 import events_pb2, task_pb2

from edge_api import openapi
from edge_api.routes import docs, events, health
from edge_api.upstreams import NOTIFICATION_SERVICE, TASK_SERVICE
from kong import policies, rendered
from kong.configuration import BadConfiguration, Configuration, parse
from kong.dev_gateway.phases import Phases

ROOT = Path(__file__).parents[1]
_PUBLIC = {TASK_SERVICE: "task-svc:50051", NOTIFICATION_SERVICE: "notify-svc:50052"}
_FILES: tuple[FileDescriptor, ...] = tuple(
    each.DESCRIPTOR for each in (task_pb2, events_pb2, notify_pb2, notify_events_pb2, dead_letters_pb2)
)


def problems(folder: Path = rendered.FOLDER) -> Iterator[str]:
    """Yield one line for each problem of the files in `folder`."""
    with tempfile.TemporaryDirectory() as secret_files:
        context = policy_context(*_make_secrets(Path(secret_files)))
        for environment in ("development", "production"):
            text = rendered.render(Path(secret_files), environment, folder=folder)
            yield from (f"{environment}: {each}" for each in _of_text(text, context))
        yield from _remaining_demo_users(text, folder)


def policy_context(token: str, session_secret: str) -> policies.PolicyContext:
    """Return the operations of the edge, the services of the protos, and the hosts of docker-compose.yml."""
    paths = openapi.document()["paths"]
    services = {service for file in _FILES for service in _services(file)}
    return policies.PolicyContext(
        operations=[
            *((method.upper(), path.replace("{id}", "01JD000000")) for path, of in paths.items() for method in of),
            *(("GET", path) for path in (docs.DOCS, docs.OPENAPI)),
            ("POST", "/api/v1/session"),  # a logout
        ],
        events_path=events.PATH,
        hidden_paths=[health.HEALTHZ, health.READYZ, "/metrics"],
        hidden_services=sorted(services - _PUBLIC.keys()),
        public_services=_PUBLIC,
        hosts=yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"].keys(),
        token=token,
        session_secret=session_secret,
    )


def _services(file: FileDescriptor) -> Iterable[str]:
    return [service.full_name for service in file.services_by_name.values()]


def _make_secrets(folder: Path) -> tuple[str, str]:
    token, session_secret = secrets.token_hex(), secrets.token_hex()
    (folder / "mesh-token").write_text(f"{token}\n")
    (folder / "kong-session-secret").write_text(f"{session_secret}\n")
    return token, session_secret


def _of_text(text: str, context: policies.PolicyContext) -> Iterator[str]:
    try:
        gateway = Configuration(parse(text))
        Phases(gateway)
    except BadConfiguration as error:
        yield from str(error).splitlines()
        return
    for rule in policies.RULES:
        yield from (f"{rule.__name__}: {each}" for each in rule(gateway, context))


def _remaining_demo_users(production: str, folder: Path) -> Iterator[str]:
    """Report a demo user if a production rendering contains its name, id, password or key."""
    consumers = yaml.safe_load((folder / "demo-users.yml").read_text())
    known = {user["username"] for user in yaml.safe_load(production)["consumers"]}
    for user in consumers:
        values = [each.get("password") or each["key"] for field in user for each in _credentials(user, field)]
        if user["username"] in known or any(value in production for value in [user["id"], *values]):
            yield f"production: the demo user {user['username']} must be removed"


def _credentials(user: dict[str, list[dict[str, str]]], field: str) -> list[dict[str, str]]:
    return user[field] if field.endswith("_credentials") else []


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found))
    sys.exit(bool(found))
