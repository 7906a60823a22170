"""The network between the simulated processes and what they call: late, lossy, repeating, out of order.

A request is on its way for a while, is carried out at one moment, and its answer is on its way for a while. Either may
be lost, or come when nobody waits for it any more; the caller may die meanwhile, and the request arrive all the same.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

_TIMEOUT_SECONDS = 2.0


class Blocked(Exception):
    """The request waits at the server until there is something for it, or so many seconds have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class Process:
    """One life of a service: what it does ends with it, and nothing of it comes back."""

    name: str
    is_alive: bool = True
    work: set["asyncio.Future[Any]"] = field(default_factory=set)

    def does(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Has it work on something, for as long as it lives."""
        task = asyncio.create_task(work)
        self.work.add(task)
        task.add_done_callback(self._has_done)
        return task

    def _has_done(self, task: "asyncio.Future[Any]") -> None:
        self.work.discard(task)
        if not task.cancelled():
            task.exception()  # somebody else asks for it, or nobody waits any more

    def crash(self) -> None:
        self.is_alive = False
        for task in self.work:
            task.cancel()


@dataclass
class Server:
    """A store or a queue: it may refuse, or fall silent, and start again with the connections gone."""

    name: str
    away: Callable[[str], Exception]
    """What callers are told of it when it cannot be reached."""
    refuses: bool = False
    is_silent: bool = False
    waiting: list["Request"] = field(default_factory=list)

    def restart(self) -> None:
        """Breaks every connection on which somebody waits."""
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            request.fail("broke off")

    def has_news(self) -> None:
        """Lets those who wait look again."""
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            request.arrive()


class Network:
    """Decides, from one source of chance, how long things take and what is lost."""

    def __init__(self, chance: random.Random, trace: Callable[[str], None]) -> None:
        self.chance = chance
        self.trace = trace
        self.fault_rate = 0.0
        self.faults = 0

    def delay(self) -> float:
        """Seconds for one way: mostly milliseconds, now and then as long as anybody waits, and sometimes longer."""
        kind = self.chance.random()
        if kind > 4 * self.fault_rate:
            return self.chance.uniform(0.001, 0.01)
        self.faults += 1
        return self.chance.uniform(0.01, 1.0) if kind > self.fault_rate else self.chance.uniform(1.0, 6.0)

    def happens(self) -> bool:
        """Whether a fault happens here."""
        is_so = self.chance.random() < self.fault_rate
        self.faults += is_so
        return is_so

    async def call(self, caller: Process, server: Server, label: str, carry_out: Callable[[], Any]) -> Any:
        """Has something carried out. Raises what the server raises, or what `away` makes of it."""
        request = Request(self, caller, server, label, carry_out)
        delay = self.delay()
        if self.happens():
            request.is_never_answered()
        else:
            if delay > _TIMEOUT_SECONDS:
                request.is_never_answered()
            asyncio.get_running_loop().call_later(delay, request.arrive)
        return await request.answer


class Request:
    """One request on its way; `answer` is what the caller waits for."""

    def __init__(
        self, network: Network, caller: Process, server: Server, label: str, carry_out: Callable[[], Any]
    ) -> None:
        self._network = network
        self._caller = caller
        self._server = server
        self._label = label
        self._carry_out = carry_out
        self._loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[Any] = self._loop.create_future()
        self._patience_ends = self._loop.time() + _TIMEOUT_SECONDS
        self._until: float | None = None

    def is_never_answered(self) -> None:
        """Has the caller told when its patience ends. A timer for those alone: nearly all are answered in time."""
        self._loop.call_at(self._patience_ends, self.fail, "no answer in time")

    def fail(self, why: str) -> None:
        """Tells the caller that there will be no answer."""
        if not self.answer.done():
            self._network.trace(f"{self._caller.name} {self._label}: {self._server.name} {why}")
            self.answer.set_exception(self._server.away(why))

    def arrive(self) -> None:
        """The server reads the request, and does what it asks for."""
        if not self._caller.is_alive and self._network.chance.random() < 0.5:
            return
        if self._server.is_silent:
            self.is_never_answered()
            return
        if self._server.refuses:
            self.fail("refuses")
            return
        try:
            result = self._carry_out()
        except Blocked as blocked:
            self._wait(blocked.seconds)
            return
        except Exception as error:
            self._reply(self.answer.set_exception, error)
            self._network.trace(f"{self._caller.name} {self._label}: {error}")
            return
        self._network.trace(f"{self._caller.name} {self._label}")
        if self._network.happens():
            self.is_never_answered()
        else:
            self._reply(self.answer.set_result, result)

    def _wait(self, seconds: float) -> None:
        if self._until is None:
            self._until = self._loop.time() + seconds
            self._loop.call_later(seconds, self._wait_is_over)
        self._server.waiting.append(self)

    def _wait_is_over(self) -> None:
        if self in self._server.waiting:
            self._server.waiting.remove(self)
            self._reply(self.answer.set_result, [])

    def _reply(self, tell: Callable[[Any], None], what: Any) -> None:
        at = self._loop.time() + self._network.delay()
        if at > self._patience_ends:
            self.is_never_answered()
        else:
            self._loop.call_at(at, lambda: None if self.answer.done() else tell(what))
