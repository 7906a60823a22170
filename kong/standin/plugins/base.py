"""What a plugin is: it may do something in each of Kong's phases, and runs in the order of Kong's priorities."""

import time
from dataclasses import dataclass, field
from typing import ClassVar

from kong.standin.consumers import Consumers
from kong.standin.exchange import Answer, Exchange
from kong.standin.fields import Fields
from kong.standin.sessions import Clock, Lifetimes, Sessions


class Plugin:
    """A plugin that does nothing; the others say in which phases they do something.

    It is made from its `config`, of which it takes every field that it knows; it may raise Unknown.
    """

    priority: ClassVar[int]
    """Kong's: the greater runs first, in every phase."""

    def __init__(self, fields: Fields, around: "Surroundings") -> None:
        pass

    async def rewrite(self, exchange: Exchange) -> None:
        """Before the request is routed; of plugins that are configured for everything only. May raise Exit."""

    async def access(self, exchange: Exchange) -> None:
        """Before the request goes to its service. May raise Exit."""

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Before an answer's headers go to the client, whoever made it; may also replace the body of a made one."""


@dataclass(frozen=True)
class Surroundings:
    """What plugins are built with beside their own fields."""

    consumers: Consumers
    clock: Clock = time.time
    sessions: dict[tuple[str, ...], Sessions] = field(default_factory=dict)
    """By what must agree for plugins to share their sessions: secret, cookie name, audience, storage."""

    def sessions_of(self, key: tuple[str, ...], lifetimes: Lifetimes) -> Sessions:
        """The sessions that all plugins with this key share."""
        return self.sessions.setdefault(key, Sessions(lifetimes, self.clock))
