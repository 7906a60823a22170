"""`python -m tests.faults.naive.service`: the task service without an outbox.

It stores a task, responds, and then publishes the event. If a crash or an unavailable queue prevents the publication,
the event is lost, because it is not stored. Everything else is the real service.
"""

import sqlite3
import sys

import uvloop

from chassis.settings import load
from task_svc.__main__ import main
from task_svc.outbox import OutboxEntry
from task_svc.relay import Relay
from task_svc.repository import StoreUnusable
from task_svc.settings import TaskSettings
from task_svc.sqlite import outbox


def store_without_outbox() -> None:
    """Remove the outbox from the store, and the sweep that reads it from the relay."""

    def put(connection: sqlite3.Connection, event: OutboxEntry) -> None:
        pass

    async def sweep_once(self: Relay) -> int:
        return 0

    outbox.put = put
    Relay.sweep_once = sweep_once  # type: ignore[method-assign]


if __name__ == "__main__":
    store_without_outbox()
    try:
        uvloop.run(main(load(TaskSettings)))
    except StoreUnusable as error:
        sys.exit(str(error))
