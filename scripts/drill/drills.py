"""What each drill does to the mesh, what users would say of it, and which alerts have to fire for it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class FaultInjector(Protocol):
    """What reaches into a mesh that runs; nothing in the mesh itself knows of drills."""

    def hold_writes(self, held: float, free: float, stop: threading.Event) -> None:
        """Again and again, until `stop` is set, keeps the task service's store from writing for `held` seconds, and
        lets it write for `free`."""

    def freeze_notifier(self) -> None:
        """Stops the notifier where it is, without ending it."""

    def thaw_notifier(self) -> None:
        """Lets it go on."""

    def poison(self) -> None:
        """Puts an event on the stream that nobody can read."""


@dataclass(frozen=True)
class Drill:
    """One fault."""

    name: str
    complaint: str
    """What a user or a colleague says: all that somebody who looks for it gets to know."""
    answer: str
    """What it was."""
    alert: str
    """The alert that has to fire."""
    run: Callable[[FaultInjector, threading.Event], None]
    """Switches the fault on, waits for the event, and switches it off."""
    consequences: frozenset[str] = field(default_factory=frozenset)
    """The alerts that may fire as well."""
    left_to_do: str = ""
    """What does not go away by itself."""


def _slow_store(injector: FaultInjector, stop: threading.Event) -> None:
    injector.hold_writes(1.6, 0.4, stop)


def _refusing_store(injector: FaultInjector, stop: threading.Event) -> None:
    injector.hold_writes(12.0, 0.5, stop)  # longer than the edge waits for an answer


def _dead_notifier(injector: FaultInjector, stop: threading.Event) -> None:
    injector.freeze_notifier()
    try:
        stop.wait()
    finally:
        injector.thaw_notifier()


def _poison_event(injector: FaultInjector, stop: threading.Event) -> None:
    injector.poison()
    stop.wait()


DRILLS: Mapping[int, Drill] = {
    1: Drill(
        "slow store",
        "Saving a task takes ages, and looking at them does not.",
        "somebody held the lock that the store writes under, for most of each two seconds",
        "RequestsSlow",
        _slow_store,
    ),
    2: Drill(
        "dead notifier",
        "I created a task minutes ago, and nobody was told.",
        "the notifier was frozen: there, and doing nothing",
        "NotifierStalled",
        _dead_notifier,
        # Who asks for notifications waits in vain; and a frozen process answers Prometheus as little as anybody.
        frozenset({"TargetDown", "RequestsSlow", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "StreamLags"}),
    ),
    3: Drill(
        "poison event",
        "All is well, says everybody. The alert does not.",
        "an event that cannot be read was put on the stream",
        "DeadLettersWait",
        _poison_event,
        left_to_do="The dead letter waits: make dead-letters, then ARGS='discard --all'.",
    ),
    4: Drill(
        "error burst",
        "It says 504 when I save, not always, and then it works again.",
        "the store's lock was held longer than a request waits for its answer",
        "ErrorBudgetBurnsFast",
        _refusing_store,
        # Such writes take five seconds to fail, and the probe of the store is one of them.
        frozenset({"ErrorBudgetBurnsSlowly", "RequestsSlow", "StoreAway", "OutboxOld"}),
    ),
}
