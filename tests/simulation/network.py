"""The network between simulated processes and servers, which delays, loses, repeats and reorders messages.

A request arrives after a delay and is executed atomically; its response arrives after another delay. Either may be lost
or arrive after the timeout. If the caller dies, its request may still arrive.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

_TIMEOUT_SECONDS = 2.0


class Blocked(Exception):
    """The request blocks at the server until there is data for it, or until `seconds` have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass
class Process:
    """One process of a service. A crash ends its tasks, and its memory is lost."""

    name: str
    is_alive: bool = True
    work: dict["asyncio.Future[Any]", None] = field(default_factory=dict)  # ordered, so that runs are deterministic

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a task that runs until it ends or the process crashes."""
        task = asyncio.create_task(work)
        self.work[task] = None
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Future[Any]") -> None:
        self.work.pop(task, None)
        if not task.cancelled():
            task.exception()  # mark it as retrieved: the caller gets it, or no longer waits

    def crash(self) -> None:
        self.is_alive = False
        for task in self.work:
            task.cancel()


@dataclass
class Server:
    """A store, queue or sink. It may refuse requests, hang (`is_silent`), or restart and close its connections."""

    name: str
    error: Callable[[str], Exception]
    """Creates the exception that callers get if a call fails, from the reason."""
    refuses: bool = False
    is_silent: bool = False
    waiting: list["Request"] = field(default_factory=list)

    def restart(self) -> None:
        """Break the connections of all blocked requests."""
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            request.fail("broke the connection")

    def wake_waiting(self) -> None:
        """Execute all blocked requests again."""
        waiting, self.waiting = self.waiting, []
        for request in waiting:
            request.arrive()


class Network:
    """Chooses, with one random source, all delays and losses."""

    def __init__(self, rng: random.Random, trace: Callable[[str], None]) -> None:
        self.rng = rng
        self.trace = trace
        self.fault_rate = 0.0
        self.faults = 0

    def delay(self) -> float:
        """Return the delay of one message in seconds: mostly milliseconds, sometimes up to 1 s, rarely up to 6 s."""
        kind = self.rng.random()
        if kind > 4 * self.fault_rate:
            return self.rng.uniform(0.001, 0.01)
        self.faults += 1
        return self.rng.uniform(0.01, 1.0) if kind > self.fault_rate else self.rng.uniform(1.0, 6.0)

    def happens(self) -> bool:
        """Return whether a fault happens now."""
        is_fault = self.rng.random() < self.fault_rate
        self.faults += is_fault
        return is_fault

    async def call(self, caller: Process, server: Server, label: str, execute: Callable[[], Any]) -> Any:
        """Execute a call on the server. Raises the error of the call, or `server.error` if the call fails."""
        request = Request(self, caller, server, label, execute)
        delay = self.delay()
        if self.happens():
            request.time_out()
        else:
            if delay > _TIMEOUT_SECONDS:
                request.time_out()
            asyncio.get_running_loop().call_later(delay, request.arrive)
        return await request.response


class Request:
    """One request to a server; the caller waits for `response`."""

    def __init__(
        self, network: Network, caller: Process, server: Server, label: str, execute: Callable[[], Any]
    ) -> None:
        self._network = network
        self._caller = caller
        self._server = server
        self._label = label
        self._execute = execute
        self._loop = asyncio.get_running_loop()
        self.response: asyncio.Future[Any] = self._loop.create_future()
        self._timeout_at = self._loop.time() + _TIMEOUT_SECONDS
        self._until: float | None = None

    def time_out(self) -> None:
        """Fail at the timeout. Only lost and late requests set a timer, because nearly all get a response in time."""
        self._loop.call_at(self._timeout_at, self.fail, "timed out")

    def fail(self, reason: str) -> None:
        """Fail the call with the server's error."""
        if not self.response.done():
            self._network.trace(f"{self._caller.name} {self._label}: {self._server.name} {reason}")
            self.response.set_exception(self._server.error(reason))

    def arrive(self) -> None:
        """Let the server receive and execute the request."""
        if not self._caller.is_alive and self._network.rng.random() < 0.5:
            return
        if self._server.is_silent:
            self.time_out()
            return
        if self._server.refuses:
            self.fail("refuses")
            return
        try:
            result = self._execute()
        except Blocked as blocked:
            self._wait(blocked.seconds)
            return
        except Exception as error:
            self._reply(self.response.set_exception, error)
            self._network.trace(f"{self._caller.name} {self._label}: {error}")
            return
        self._network.trace(f"{self._caller.name} {self._label}")
        if self._network.happens():
            self.time_out()
        else:
            self._reply(self.response.set_result, result)

    def _wait(self, seconds: float) -> None:
        if self._until is None:
            self._until = self._loop.time() + seconds
            self._loop.call_later(seconds, self._wait_is_over)
        self._server.waiting.append(self)

    def _wait_is_over(self) -> None:
        if self in self._server.waiting:
            self._server.waiting.remove(self)
            self._reply(self.response.set_result, [])

    def _reply(self, set_outcome: Callable[[Any], None], value: Any) -> None:
        at = self._loop.time() + self._network.delay()
        if at > self._timeout_at:
            self.time_out()
        else:
            self._loop.call_at(at, lambda: None if self.response.done() else set_outcome(value))
