"""The drills: the fault that each one injects, its symptom, and the alerts that it causes."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class FaultInjector(Protocol):
    """Injects faults into a running mesh from outside; no service has code for drills."""

    def block_writes(self, blocked: float, free: float, stop: threading.Event) -> None:
        """Block writes to the task store for `blocked` seconds, allow them for `free`, and repeat until `stop`."""

    def freeze_notifier(self, stop: threading.Event) -> None:
        """Stop the process of the notification service, without ending it, until `stop`; then let it continue."""

    def publish_malformed_event(self) -> None:
        """Add an event to the stream that cannot be decoded."""


@dataclass(frozen=True)
class Drill:
    """One fault.

    `symptom` is a user's report. `alert` must fire, and `consequences` may fire too. `run` injects the fault, waits for
    the event, and removes the fault. `cleanup` describes what you must do afterwards.
    """

    name: str
    symptom: str
    cause: str
    alert: str
    run: Callable[[FaultInjector, threading.Event], None]
    consequences: frozenset[str] = frozenset()
    cleanup: str = ""


def _poison_event(injector: FaultInjector, stop: threading.Event) -> None:
    injector.publish_malformed_event()
    stop.wait()


DRILLS: Mapping[int, Drill] = {
    1: Drill(
        "slow store",
        "Saving a task takes seconds, but lists load at once.",
        "a lock blocked writes to the task store for 1.6 of every 2 seconds",
        "RequestsSlow",
        lambda injector, stop: injector.block_writes(1.6, 0.4, stop),
    ),
    2: Drill(
        "dead notifier",
        "I created a task minutes ago and got no notification.",
        "the process of the notification service was frozen",
        "NotifierStalled",
        lambda injector, stop: injector.freeze_notifier(stop),
        # Requests for notifications time out, and the frozen process does not serve its metrics.
        frozenset({"TargetDown", "RequestsSlow", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "StreamLags"}),
    ),
    3: Drill(
        "poison event",
        "Everything works for me, but there is an alert.",
        "an event that cannot be decoded was added to the stream",
        "DeadLettersWait",
        _poison_event,
        cleanup="The dead letter remains. To remove it: make dead-letters ARGS='discard --all'",
    ),
    4: Drill(
        "error burst",
        "Saving a task often fails with 504, then works again.",
        "a lock blocked writes to the task store for longer than a request's deadline",
        "ErrorBudgetBurnsFast",
        lambda injector, stop: injector.block_writes(12.0, 0.5, stop),  # longer than the edge's deadline
        # Blocked writes fail after five seconds. The probe of the store is one of them.
        frozenset({"ErrorBudgetBurnsSlowly", "RequestsSlow", "StoreAway", "OutboxOld"}),
    ),
}
