"""The limits that a client can meet, read from where each is set."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import yaml

from chassis.feed.feed import FeedLimits
from chassis.feed.watcher import LIFETIME_SECONDS
from chassis.grpc_api.channel_options import MAX_MESSAGE_BYTES, MAX_METADATA_BYTES, SERVER_OPTIONS
from chassis.settings import GrpcSettings
from edge_api.schemas import limits
from edge_api.settings import EdgeSettings
from kong.configuration import Configuration
from task_svc.grpc_api.list_request import PAGE_BYTES_MAX

_LOGINS = re.compile(r"per_minute, per_hour, per_user = (\d+), (\d+), (\d+)")
_HEADERS = re.compile(r"if n > (\d+) then")
_NGINX_LINE = "8 KiB"  # nginx's own default


class Limit(NamedTuple):
    """One row of the page."""

    what: str
    value: str
    beyond: str


def sections(root: Path) -> dict[str, list[Limit]]:
    """The limits by where a client meets them."""
    return {
        "At the gateway": [*_gateway(root)],
        "At the edge: REST and the event stream": [*_edge()],
        "At the services: gRPC": [*_grpc()],
    }


def fields(root: Path) -> Iterator[tuple[str, str]]:
    """The limits of fields and parameters: what is counted, and how many there may be."""
    body = ast.parse((root / "edge_api/schemas/limits.py").read_text()).body
    for constant, docstring in pairwise(body):
        match constant, docstring:
            case ast.Assign(targets=[ast.Name(name)]), ast.Expr(ast.Constant(str(about))) if "BYTES" not in name:
                if isinstance(value := getattr(limits, name), int):
                    yield about, f"{value:,}"


def _gateway(root: Path) -> Iterator[Limit]:
    text = (root / "kong/kong.yml").read_text()
    kong = Configuration(yaml.safe_load(text))
    for what, route, consumer in (
        ("calls of one user", "api-key", None),
        ("calls without a valid credential, of one address", "api-key", "anonymous"),
        ("health checks by gRPC, of one address", "task-health", None),
    ):
        rate = kong.config("rate-limiting", kong.routes[route], consumer)
        assert rate is not None  # noqa: S101 (`make check` holds kong.yml to it)
        yield Limit(what, f"{rate['minute']} a minute", "429, RESOURCE_EXHAUSTED by gRPC; Retry-After")
    ((per_minute, per_hour, per_user),) = _LOGINS.findall(text)
    yield Limit("logins from one address", f"{per_minute} a minute, {per_hour} an hour", "429; Retry-After")
    yield Limit("logins of one user", f"{per_user} an hour", "429; Retry-After")
    (headers,) = _HEADERS.findall(text)
    yield Limit("headers of a request", headers, "431")
    yield Limit("the path, or one header", _NGINX_LINE, "414, 400")
    compose = yaml.safe_load((root / "docker-compose.yml").read_text())
    nginx = compose["services"]["kong"]["environment"]
    size = f"{nginx['KONG_NGINX_HTTP_CLIENT_MAX_BODY_SIZE'].removesuffix('k')} KiB"
    yield Limit("the body of a request", size, "413")
    yield Limit("all messages of one gRPC call to the server", size, "INVALID_ARGUMENT, or the call is cut")
    pause = nginx["KONG_NGINX_HTTP_CLIENT_BODY_TIMEOUT"].removesuffix("s")
    yield Limit("a pause within a request", f"{pause} s", "the connection is closed")


def _edge() -> Iterator[Limit]:
    default = {name: field.default for name, field in EdgeSettings.model_fields.items()}
    yield Limit("the body of a request", _size(limits.MAX_BODY_BYTES), "413")
    yield Limit("the headers of a request", _size(limits.MAX_HEADER_BYTES), "431")
    yield Limit(
        "a request with all its calls (`EDGE_CALL_TIMEOUT_SECONDS`)", f"{default['call_timeout_seconds']} s", "504"
    )
    yield Limit("requests at once (`EDGE_MAX_IN_FLIGHT`)", f"{default['max_in_flight']:,}", "503; Retry-After")
    yield Limit(
        "event streams of one user (`EDGE_MAX_WATCHERS_PER_USER`)", f"{default['max_watchers_per_user']:,}", "429"
    )
    yield Limit("event streams (`EDGE_MAX_WATCHERS`)", f"{default['max_watchers']:,}", "429")
    yield Limit("an event stream", _lifetime(), "it ends: connect again with Last-Event-ID")


def _grpc() -> Iterator[Limit]:
    option = dict(SERVER_OPTIONS)
    feed = FeedLimits()
    deadline = GrpcSettings.model_fields["default_deadline_seconds"].default
    yield Limit("a message", _size(MAX_MESSAGE_BYTES), "RESOURCE_EXHAUSTED")
    yield Limit("the metadata of a call", _size(MAX_METADATA_BYTES), "RESOURCE_EXHAUSTED")
    yield Limit("a page of a listing", _size(PAGE_BYTES_MAX), "the page ends early")
    yield Limit("a call without a deadline (`…_DEFAULT_DEADLINE_SECONDS`)", f"{deadline} s", "DEADLINE_EXCEEDED")
    yield Limit("calls at once on one connection", f"{option['grpc.max_concurrent_streams']:,}", "further calls wait")
    yield Limit("watches of one user", f"{feed.watchers_of_one:,}", "RESOURCE_EXHAUSTED, TOO_MANY_WATCHERS")
    yield Limit("watches", f"{feed.watchers:,}", "RESOURCE_EXHAUSTED, TOO_MANY_WATCHERS")
    yield Limit("changes that wait for one watcher", f"{feed.waiting:,}", "RESOURCE_EXHAUSTED, WATCHER_TOO_SLOW")
    yield Limit("a watch", _lifetime(), "it ends with OK: watch again with the last resume_token")
    age, grace = (option[f"grpc.max_connection_{name}_ms"] // 1000 for name in ("age", "age_grace"))
    yield Limit(
        "a connection", f"{age} s", f"GOAWAY: new calls take a new connection, calls in flight have {grace} s more"
    )
    pings = option["grpc.http2.min_ping_interval_without_data_ms"] // 1000
    yield Limit("between two keepalive pings", f"at least {pings} s", "GOAWAY, too_many_pings")


def _lifetime() -> str:
    shortest, longest = (seconds // 60 for seconds in LIFETIME_SECONDS)
    return f"{shortest:.0f} to {longest:.0f} minutes"


def _size(count: int) -> str:
    return f"{count // 1024} KiB" if count < 1024 * 1024 else f"{count // (1024 * 1024)} MiB"
