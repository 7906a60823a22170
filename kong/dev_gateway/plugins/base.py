"""The base class of all plugins, with one method per phase, and the state that they share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from kong.configuration import Consumer
from kong.dev_gateway.callers import Callers
from kong.dev_gateway.counters import Counters
from kong.dev_gateway.exchange import Exchange, Response
from kong.dev_gateway.lua import Lua
from kong.dev_gateway.sessions import Clock, Lifetimes, Sessions


@dataclass
class State:
    """The state that the plugins of one gateway share."""

    consumers: Mapping[str, Consumer]
    """The consumers by name."""
    clock: Clock
    row_delay_seconds: float
    sessions: dict[tuple[str, ...], Sessions] = field(default_factory=dict)
    """Sessions by secret, cookie name, audience and storage: plugins with the same values share sessions."""

    def __post_init__(self) -> None:
        self.callers = Callers(self.consumers)
        self.lua = Lua(Counters(self.clock))

    def sessions_of(self, key: tuple[str, ...], lifetimes: Lifetimes) -> Sessions:
        """Return the sessions that all plugins with this key share."""
        return self.sessions.setdefault(key, Sessions(lifetimes, self.clock, self.row_delay_seconds))


class Plugin(BaseModel):
    """A plugin instance. Its fields are the supported fields of `config` in kong.yml; other fields are rejected."""

    model_config = ConfigDict(extra="forbid", strict=True)
    priority: ClassVar[int]
    """Kong's priority: in each phase, plugins with a higher priority run first."""

    def start(self, state: State) -> None:
        """Run once, before any request."""

    async def rewrite(self, exchange: Exchange) -> None:
        """Run before routing, on global instances only. May raise Exit."""

    async def access(self, exchange: Exchange) -> None:
        """Run before the request is sent to the service. May raise Exit."""

    def header_filter(self, exchange: Exchange, response: Response) -> None:
        """Run before the response headers are sent, whatever the source of the response."""

    def body_filter(self, exchange: Exchange, response: Response) -> None:
        """Run before the response body is sent, unless it comes from a service."""
