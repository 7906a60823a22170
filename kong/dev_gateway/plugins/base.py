"""The base of all plugins: a plugin acts in some of Kong's phases, in the order of Kong's priorities."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from kong.configuration import Consumer
from kong.dev_gateway.callers import Callers
from kong.dev_gateway.counters import Counters
from kong.dev_gateway.exchange import Answer, Exchange
from kong.dev_gateway.lua import Lua
from kong.dev_gateway.sessions import Clock, Lifetimes, Sessions


@dataclass
class State:
    """What the plugins of one gateway share."""

    consumers: Mapping[str, Consumer]
    """By name."""
    clock: Clock
    row_delay_seconds: float
    sessions: dict[tuple[str, ...], Sessions] = field(default_factory=dict)
    """By what must agree for two plugins to share sessions: secret, cookie name, audience, storage."""

    def __post_init__(self) -> None:
        self.callers = Callers(self.consumers)
        self.lua = Lua(Counters(self.clock))

    def sessions_of(self, key: tuple[str, ...], lifetimes: Lifetimes) -> Sessions:
        """The sessions that all plugins with this key share."""
        return self.sessions.setdefault(key, Sessions(lifetimes, self.clock, self.row_delay_seconds))


class Plugin(BaseModel):
    """An instance of a plugin. Its fields are those of `config` in kong.yml; others and other values are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)
    priority: ClassVar[int]
    """Kong's: a greater one runs first in every phase."""

    def start(self, state: State) -> None:
        """Called once, before any request."""

    async def rewrite(self, exchange: Exchange) -> None:
        """Before routing; called on global instances only. May raise Exit."""

    async def access(self, exchange: Exchange) -> None:
        """Before the service is called. May raise Exit."""

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Before the headers of an answer are sent, whatever its source."""

    def body_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Before the body of an answer is sent, unless a service streams it."""
