"""What every promise is asked with: the surroundings of the gateway, the kinds of caller, and where they come out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from kong.configuration import Configuration
from kong.routing import Route

Headers = list[tuple[str, str]]
CALLERS: Mapping[str, Headers] = {
    "key": [("x-api-key", "some-key")],
    "login": [("authorization", "Basic c29tZTpib2R5")],
    "session": [("cookie", "sid=some-session")],
    "stranger": [],
}
"""The kinds of caller, by the headers that tell them apart."""
HEARTBEAT_MS = 15_000
EDGE = "http://edge-api:8080"


@dataclass(frozen=True)
class Surroundings:
    """What the gateway stands before, and what it was rendered with."""

    operations: Iterable[tuple[str, str]]
    """Each method and path of the edge's documentation."""
    events_path: str
    """Where the edge sends events."""
    hidden_paths: Iterable[str]
    """What of the edge is for the inside alone."""
    hidden_services: Iterable[str]
    """The gRPC services that are for the inside alone."""
    public_services: Mapping[str, str]
    """The other gRPC services, and the target of each."""
    hosts: frozenset[str] | None
    """The services of docker-compose.yml, where there is one."""
    token: str
    """The mesh token that it was rendered with."""
    session_secret: str
    """The secret of sessions that it was rendered with."""


Promise = Callable[[Configuration, Surroundings], Iterator[str]]


def route_of(gateway: Configuration, method: str, path: str, caller: str, *, backwards: bool = False) -> Route | None:
    """Where a request of a kind of caller goes; `backwards`, if the routes stood the other way round in the file."""
    return gateway.router(backwards=backwards).match(method, path, "localhost", CALLERS[caller])


def token_is_put_on(where: str, transformer: Mapping[str, Mapping[str, list[str]]], token: str) -> Iterator[str]:
    """Whether a request-transformer puts on the mesh's token, and the client's is gone."""
    added = transformer.get("add", {}).get("headers", [])
    if added != [f"X-Mesh-Token:{token}"]:
        yield f"{where}: the mesh's token is not what is put on"
    if "x-mesh-token" not in transformer.get("remove", {}).get("headers", ()):
        yield f"{where}: a client's token goes on in place of the mesh's"
