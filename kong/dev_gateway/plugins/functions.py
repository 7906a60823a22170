"""pre-function and post-function: run the Lua functions of kong.yml."""

from pydantic import Field, PrivateAttr

from kong.dev_gateway.exchange import Exchange, Response
from kong.dev_gateway.lua import Function, Lua
from kong.dev_gateway.plugins.base import Plugin, State


class _Functions(Plugin):
    in_rewrite: list[str] = Field(default=[], alias="rewrite")
    in_access: list[str] = Field(default=[], alias="access")
    in_header_filter: list[str] = Field(default=[], alias="header_filter")
    in_body_filter: list[str] = Field(default=[], alias="body_filter")
    _lua: Lua = PrivateAttr()
    _functions: dict[str, list[Function]] = PrivateAttr()

    def start(self, state: State) -> None:
        """Compile the functions. Raise ValueError if one is invalid."""
        self._lua = state.lua
        phases = ("rewrite", "access", "header_filter", "body_filter")
        self._functions = {
            phase: [self._lua.function(code) for code in getattr(self, f"in_{phase}")] for phase in phases
        }

    async def rewrite(self, exchange: Exchange) -> None:
        """Run the functions of this phase."""
        self._run("rewrite", exchange)

    async def access(self, exchange: Exchange) -> None:
        """Run the functions of this phase."""
        self._run("access", exchange)

    def header_filter(self, exchange: Exchange, response: Response) -> None:
        """Run the functions of this phase."""
        self._run("header_filter", exchange, response)

    def body_filter(self, exchange: Exchange, response: Response) -> None:
        """Run the functions of this phase."""
        self._run("body_filter", exchange, response)

    def _run(self, phase: str, exchange: Exchange, response: Response | None = None) -> None:
        for function in self._functions[phase]:
            self._lua.call(function, exchange, response)


class PreFunction(_Functions):
    """Runs before all other plugins."""

    priority = 1_000_000


class PostFunction(_Functions):
    """Runs after all other plugins."""

    priority = -1000
