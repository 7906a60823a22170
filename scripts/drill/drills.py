"""The drills: the fault that each one injects, its symptom and cause, where it shows, and the alerts that it causes."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class DrillError(Exception):
    """A drill cannot reach the system, inject its fault or undo it; the message gives the reason."""


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
    """One fault. `symptom` is a user's report, `seen` names the metrics that show the fault, `alert` must fire, and
    `consequences` may fire too. `run` injects the fault, waits for the event, and undoes the fault.
    """

    name: str
    symptom: str
    cause: str
    seen: str
    alert: str
    run: Callable[[FaultInjector, threading.Event], None]
    consequences: frozenset[str] = frozenset()


def _poison_event(injector: FaultInjector, stop: threading.Event) -> None:
    injector.publish_malformed_event()
    stop.wait()


DRILLS: Mapping[int, Drill] = {
    1: Drill(
        "slow store",
        "Saving a task takes seconds, but lists load at once.",
        "A lock on the task store delays each write by up to two seconds.",
        "in task_svc, grpc_server_handling_seconds: CreateTask takes up to two seconds, ListTasks only milliseconds",
        "RequestsSlow",
        lambda injector, stop: injector.block_writes(1.6, 0.4, stop),
    ),
    2: Drill(
        "dead notifier",
        "I created a task minutes ago and got no notification.",
        "The process of the notification service is frozen: it has not ended, but does nothing.",
        "notify_svc does not serve its metrics; in task_svc, outbox_published_total and outbox_unconfirmed grow",
        "NotifierStalled",
        lambda injector, stop: injector.freeze_notifier(stop),
        # Requests for notifications time out, and the frozen process does not serve its metrics.
        frozenset({"TargetDown", "RequestsSlow", "ErrorBudgetBurnsFast", "ErrorBudgetBurnsSlowly", "StreamLags"}),
    ),
    3: Drill(
        "poison event",
        "Everything works for me, but there is an alert.",
        "An event on the stream cannot be decoded.",
        "in notify_svc, dead_lettered_total counts a malformed event; `make dead-letters` shows it\n"
        "To remove it: make dead-letters ARGS='discard --all'",
        "DeadLettersWait",
        _poison_event,
    ),
    4: Drill(
        "error burst",
        "Saving a task often fails with 504, then works again.",
        "A lock on the task store delays each write beyond the deadline of its request.",
        "in edge_api, http_requests_total counts 503 and 504 for POST, PATCH and DELETE of tasks, but not for GET",
        "ErrorBudgetBurnsFast",
        lambda injector, stop: injector.block_writes(12.0, 0.5, stop),  # longer than the edge's deadline
        # Blocked writes fail after five seconds. The probe of the store is one of them.
        frozenset({"ErrorBudgetBurnsSlowly", "RequestsSlow", "StoreAway", "OutboxOld"}),
    ),
}
CAUSES = sorted([*(each.cause for each in DRILLS.values()), "Redis is unavailable.", "The task service has crashed."])
"""The answers to choose from: the causes of all drills, and wrong ones."""
