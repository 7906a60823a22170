"""The development gateway for tests: the true kong.yml, with services of the test behind it or a stanza taken out."""

import asyncio
import copy
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kong.standin.configuration import parse, read
from kong.standin.server import bind, serving
from kong.standin.sessions import Clock
from tests.support.edge import token_file
from tests.support.ports import free_port

Document = dict[str, Any]
Change = Callable[[Document], object]
_RENDER = Path(__file__).parents[2] / "kong" / "render"


def put_secrets(directory: Path) -> Path:
    """Writes the secrets that kong/render wants."""
    directory.mkdir(parents=True, exist_ok=True)
    token_file(directory)
    (directory / "kong-session-secret").write_text("a-secret-of-sessions-that-is-only-for-tests")
    return directory


@cache
def _rendered() -> Any:
    with TemporaryDirectory() as directory:
        env = {**os.environ, "SECRETS_DIR": str(put_secrets(Path(directory))), "ENVIRONMENT": "development"}
        env.pop("KONG_USERS_FILE", None)
        text = subprocess.run(["bash", str(_RENDER)], env=env, capture_output=True, text=True, check=True).stdout
    return parse(text)


def document(*changes: Change) -> Document:
    """A copy of kong.yml, rendered, after some changes."""
    copied: Document = copy.deepcopy(_rendered())
    for change in changes:
        change(copied)
    return copied


@asynccontextmanager
async def standin(
    *changes: Change, edge: int = 1, web: int = 1, clock: Clock = time.time, timeouts: Mapping[str, int] | None = None
) -> AsyncIterator[str]:
    """Serves a gateway in the test's own loop, before services on these ports; gives its address."""
    changed = document(*changes, without_brakes, *_timeouts(timeouts or {}))
    targets = {"edge-api:8080": ("127.0.0.1", edge), "web:8080": ("127.0.0.1", web)}
    port = free_port()
    async with serving(read(changed, targets, clock), bind(port)):
        await asyncio.sleep(0)
        yield f"http://127.0.0.1:{port}"


def without_brakes(changed: Document) -> None:
    """Makes limits so high that no test meets them; limits below 6 were set by a test for itself and stay."""
    for plugin in plugins_of(changed, "rate-limiting"):
        for period in ("second", "minute", "hour"):
            if plugin["config"].get(period, 0) > 5:
                plugin["config"][period] = 1_000_000


def _timeouts(given: Mapping[str, int]) -> list[Change]:
    def change(changed: Document) -> None:
        for service in changed["services"]:
            service.update(given)

    return [change]


def service(changed: Document, name: str) -> Document:
    """The entry of one service."""
    return next(each for each in changed["services"] if each["name"] == name)


def route(changed: Document, name: str) -> Document:
    """The entry of one route."""
    return next(each for service in changed["services"] for each in service.get("routes", ()) if each["name"] == name)


def plugins_of(changed: Document, name: str) -> list[Document]:
    """Every instance of a plugin, wherever it is configured."""
    holders = [changed, *changed["services"], *changed["consumers"]]
    holders += [each for service in changed["services"] for each in service.get("routes", ())]
    return [plugin for holder in holders for plugin in holder.get("plugins", ()) if plugin["name"] == name]


def drop_plugin(name: str, of: Callable[[Document], Document] = lambda changed: changed) -> Change:
    """A change that takes a plugin out of a place: the whole file's, or a route's or service's or consumer's."""

    def change(changed: Document) -> None:
        holder = of(changed)
        kept = [plugin for plugin in holder["plugins"] if plugin["name"] != name]
        assert len(kept) < len(holder["plugins"]), f"there is no {name} to take out"
        holder["plugins"] = kept

    return change


def limit(of: Callable[[Document], Document], **periods: int) -> Change:
    """A change that sets a limit of the rate-limiting in a place."""

    def change(changed: Document) -> None:
        found = [plugin for plugin in of(changed)["plugins"] if plugin["name"] == "rate-limiting"]
        for plugin in found:
            plugin["config"] = {**plugin["config"], **periods}
        assert found, "there is no limit to set"

    return change
