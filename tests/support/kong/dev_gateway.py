"""Runs the development gateway in tests, with the real kong.yml, optional changes to it, and services of the test."""

import asyncio
import copy
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kong import rendered
from kong.configuration import Configuration, parse
from kong.dev_gateway.server import bind, serving
from kong.dev_gateway.sessions import ROW_DELAY_SECONDS, Clock
from tests.support.edge_api.edge import token_file
from tests.support.ports import free_port

Document = dict[str, Any]
Change = Callable[[Document], object]
SESSION_SECRET = "a-secret-of-sessions-that-is-only-for-tests"
_LOGIN_LIMITS = re.compile(r"(per_minute, per_hour, per_user = )\d+, \d+, \d+")


def put_secrets(directory: Path) -> Path:
    """Write the secrets that kong/render needs and return the folder."""
    directory.mkdir(parents=True, exist_ok=True)
    token_file(directory)
    (directory / "kong-session-secret").write_text(SESSION_SECRET)
    return directory


@cache
def _rendered() -> Document:
    with TemporaryDirectory() as directory:
        return parse(rendered.render(put_secrets(Path(directory)), "development"))


def document(*changes: Change) -> Document:
    """Return a copy of the rendered kong.yml with changes."""
    copied = copy.deepcopy(_rendered())
    for change in changes:
        change(copied)
    return copied


@asynccontextmanager
async def dev_gateway(
    *changes: Change,
    edge: int = 1,
    web: int = 1,
    clock: Clock = time.time,
    row_delay_seconds: float = ROW_DELAY_SECONDS,
) -> AsyncIterator[str]:
    """Serve a gateway in the test's event loop, with services on these ports; yield its URL."""
    configuration = Configuration(document(*changes))
    targets = {"edge-api:8080": ("127.0.0.1", edge), "web:8080": ("127.0.0.1", web)}
    port = free_port()
    async with serving(configuration, targets, bind(port), clock, row_delay_seconds):
        await asyncio.sleep(0)
        yield f"http://127.0.0.1:{port}"


def without_limits(changed: Document) -> None:
    """Raise all limits so that no test reaches them."""
    limit(plugins_of(changed, "rate-limiting"), 1_000_000)
    login_limits(1_000_000, 1_000_000, 1_000_000)(changed)


def login_limits(per_minute: int, per_hour: int, per_user: int) -> Change:
    """Return a change that sets the login limits: per address and minute, per address and hour, per user and hour."""

    def change(changed: Document) -> None:
        config = next(each for each in route(changed, "login")["plugins"] if each["name"] == "pre-function")["config"]
        limits = rf"\g<1>{per_minute}, {per_hour}, {per_user}"
        config["access"] = [_LOGIN_LIMITS.sub(limits, code) for code in config["access"]]
        assert f"= {per_minute}, {per_hour}, {per_user}\n" in config["access"][0]

    return change


def service(changed: Document, name: str) -> Document:
    """Return the entry of a service."""
    return next(each for each in changed["services"] if each["name"] == name)


def route(changed: Document, name: str) -> Document:
    """Return the entry of a route."""
    return next(each for service in changed["services"] for each in service.get("routes", ()) if each["name"] == name)


def plugins_of(changed: Document, name: str) -> list[Document]:
    """Return all instances of a plugin: global, and of services, routes and consumers."""
    holders = [changed, *changed["services"], *changed["consumers"]]
    holders += [each for service in changed["services"] for each in service.get("routes", ())]
    return [plugin for holder in holders for plugin in holder.get("plugins", ()) if plugin["name"] == name]


def drop_plugin(name: str, of: Callable[[Document], Document] = lambda changed: changed) -> Change:
    """Return a change that removes a global plugin, or a plugin of the route, service or consumer that `of` returns."""

    def change(changed: Document) -> None:
        holder = of(changed)
        kept = [plugin for plugin in holder["plugins"] if plugin["name"] != name]
        assert len(kept) < len(holder["plugins"]), f"there is no {name} to remove"
        holder["plugins"] = kept

    return change


def limit(plugins: Iterable[Document], minute: int) -> None:
    """Set the limit of all rate-limiting plugins among these plugins."""
    found = [plugin for plugin in plugins if plugin["name"] == "rate-limiting"]
    assert found, "there is no limit to set"
    for plugin in found:
        plugin["config"] = {**plugin["config"], "minute": minute}
