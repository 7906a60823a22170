"""Reads the limits that clients can reach from the code and configuration that set them."""

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from chassis.feed.feed import FeedLimits
from chassis.feed.watcher import LIFETIME_SECONDS
from chassis.grpc_api.channel_options import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, SERVER_OPTIONS
from chassis.settings import GrpcSettings
from edge_api.schemas import limits
from edge_api.settings import EdgeSettings
from edge_api.sse.event_stream import SEND_SECONDS
from kong.configuration import Configuration
from notify_svc.domain import INBOX_LIMIT, KEEP_MS
from task_svc.domain import KEPT_AFTER_DELETION
from task_svc.grpc_api.list_request import PAGE_BYTES_MAX

_LOGINS = re.compile(r"per_minute, per_hour, per_user = (\d+), (\d+), (\d+)")
_HEADERS = re.compile(r"if n > (\d+) then")
_NGINX_LINE = "8 KiB"  # nginx's own default
_TOO_MANY, _TOO_MANY_BY_GRPC = "429; Retry-After", "429 (gRPC: RESOURCE_EXHAUSTED); Retry-After"


class Limit(NamedTuple):
    """One row of the page: the limit, its value, and what happens if it is exceeded."""

    what: str
    value: str
    beyond: str


def sections(root: Path) -> dict[str, list[Limit]]:
    """The limits by the component that enforces them."""
    return {
        "At the gateway": [*_gateway(root)],
        "At the edge: REST and the event stream": [*_edge()],
        "At the services: gRPC": [*_grpc()],
        "What is kept": [*_stored()],
    }


def fields(root: Path) -> Iterator[tuple[str, str]]:
    """The limits of fields and parameters: the number, and what it applies to."""
    body = ast.parse((root / "edge_api/schemas/limits.py").read_text()).body
    for constant, docstring in pairwise(body):
        match constant, docstring:
            case ast.Assign(targets=[ast.Name(name)]), ast.Expr(ast.Constant(str(about))) if "BYTES" not in name:
                if isinstance(value := getattr(limits, name), int):
                    yield f"{value:,}", about


def _gateway(root: Path) -> Iterator[Limit]:
    text = (root / "kong/kong.yml").read_text()
    kong = Configuration(yaml.safe_load(text))
    for what, route, consumer, beyond in (
        ("calls of one user, on each route", "api-key", None, _TOO_MANY_BY_GRPC),
        ("REST calls without a valid credential, from one address, on each route", "api-key", "anonymous", _TOO_MANY),
        ("gRPC health checks of each service, from one address", "task-health", None, _TOO_MANY_BY_GRPC),
    ):
        yield Limit(what, f"{_config(kong, 'rate-limiting', route, consumer)['minute']} a minute", beyond)
    ((per_minute, per_hour, per_user),) = _LOGINS.findall(text)
    yield Limit("logins from one address", f"{per_minute} a minute, {per_hour} an hour", _TOO_MANY)
    yield Limit("logins of one user", f"{per_user} an hour", _TOO_MANY)
    session = _config(kong, "session", "api-session")
    idle, whole = session["idling_timeout"] // 60, session["absolute_timeout"] // 3600
    yield Limit("a session", f"{idle} minutes without a request, {whole} hours in all", "401: log in again")
    (headers,) = _HEADERS.findall(text)
    yield Limit("headers of a request", headers, "431")
    yield Limit("the URL, or one header line", _NGINX_LINE, "414, 400")
    nginx = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]["kong"]["environment"]
    size = f"{nginx['KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE'].removesuffix('k')} KiB"
    yield Limit("the body of a request", size, "413")
    yield Limit("all messages from the client in one gRPC call", size, "INVALID_ARGUMENT or INTERNAL")
    pause = nginx["KONG_NGINX_HTTP_CLIENT_BODY_TIMEOUT"].removesuffix("s")
    yield Limit("a pause within a request", f"{pause} s", "the connection is closed")
    for what, service, beyond in (
        ("a pause before or within a response", "api", "504, or the connection is closed"),
        ("a pause within an event stream", "api-events", "the connection is closed"),
        ("a pause within a gRPC stream, such as Health.Watch while nothing changes", "task-grpc", "the call ends"),
    ):
        yield Limit(what, f"{kong.services[service].read_timeout // 1000} s", beyond)


def _config(kong: Configuration, plugin: str, route: str, consumer: str | None = None) -> Mapping[str, Any]:
    found = kong.config(plugin, kong.routes[route], consumer)
    assert found is not None  # noqa: S101 (`make check` verifies it)
    return found


def _edge() -> Iterator[Limit]:
    default = {name: field.default for name, field in EdgeSettings.model_fields.items()}
    seconds = f"{default['call_timeout_seconds']} s"
    yield Limit("the body of a request", _size(limits.MAX_BODY_BYTES), "413")
    yield Limit("the headers of a request", _size(limits.MAX_HEADER_BYTES), "431")
    yield Limit("the time to receive a body (`EDGE_CALL_TIMEOUT_SECONDS`)", seconds, "408")
    yield Limit("the time for a whole request (`EDGE_CALL_TIMEOUT_SECONDS`)", seconds, "504")
    yield Limit("concurrent requests (`EDGE_MAX_IN_FLIGHT`)", f"{default['max_in_flight']:,}", "503; Retry-After")
    yield Limit("connections (`EDGE_MAX_CONNECTIONS`)", f"{default['max_connections']:,}", "503")
    of_one_user = default["max_watchers_per_user"]
    yield Limit("event streams of one user (`EDGE_MAX_WATCHERS_PER_USER`)", f"{of_one_user:,}", "429; Retry-After")
    yield Limit("event streams (`EDGE_MAX_WATCHERS`)", f"{default['max_watchers']:,}", "429; Retry-After")
    yield Limit("an event stream", _lifetime(), "it ends: connect again with Last-Event-ID")
    yield Limit("a client that does not read its event stream", f"{SEND_SECONDS:.0f} s", "the connection is closed")


def _grpc() -> Iterator[Limit]:
    option = dict(SERVER_OPTIONS)
    feed = FeedLimits()
    deadline = GrpcSettings.model_fields["default_deadline_seconds"].default
    yield Limit("a message", _size(MAX_MESSAGE_BYTES), "RESOURCE_EXHAUSTED")
    yield Limit(
        "the metadata of a call", _size(MAX_METADATA_BYTES), "RESOURCE_EXHAUSTED for some calls, above 16 KiB for all"
    )
    yield Limit("a page of a list", _size(PAGE_BYTES_MAX), "the page ends early")
    yield Limit("a unary call without a deadline (`…_DEFAULT_DEADLINE_SECONDS`)", f"{deadline} s", "DEADLINE_EXCEEDED")
    yield Limit(
        "concurrent calls of one connection", f"{option['grpc.max_concurrent_streams']:,}", "further calls wait"
    )
    yield Limit("watches of one user", f"{feed.watchers_of_one:,}", "RESOURCE_EXHAUSTED, TOO_MANY_WATCHERS")
    yield Limit("watches", f"{feed.watchers:,}", "RESOURCE_EXHAUSTED, TOO_MANY_WATCHERS")
    yield Limit("undelivered changes of one watcher", f"{feed.waiting:,}", "RESOURCE_EXHAUSTED, WATCHER_TOO_SLOW")
    kept = f"the last {feed.items:,}, or {_size(feed.bytes)}"
    yield Limit("changes that a watch can miss and still resume", kept, "a reset: load everything again")
    yield Limit("a watch", _lifetime(), "it ends with OK: watch again with the last resume_token")
    age, grace = (option[f"grpc.max_connection_{name}_ms"] // 1000 for name in ("age", "age_grace"))
    goaway = f"GOAWAY: new calls use a new connection; calls in flight may take {grace} s more"
    yield Limit("a connection", f"{age} s", goaway)
    pings = option["grpc.http2.min_ping_interval_without_data_ms"] // 1000
    yield Limit("the interval of keepalive pings", f"at least {pings} s", "GOAWAY, too_many_pings")


def _stored() -> Iterator[Limit]:
    days = KEPT_AFTER_DELETION.days
    yield Limit("a deleted task", f"{days} days", "it is purged, and cannot be undeleted")
    yield Limit("notifications of one user", f"{INBOX_LIMIT:,}", "the oldest are dropped")
    yield Limit("a notification", f"{KEEP_MS // 86_400_000} days", "it is dropped")


def _lifetime() -> str:
    shortest, longest = (seconds // 60 for seconds in LIFETIME_SECONDS)
    return f"{shortest:.0f} to {longest:.0f} minutes"


def _size(count: int) -> str:
    return f"{count // 1024} KiB" if count < 1024 * 1024 else f"{count // (1024 * 1024)} MiB"
