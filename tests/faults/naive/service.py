"""`python -m tests.faults.naive.service`: the task service without an outbox, as one would write it first.

A task is stored and the answer goes back; then its event is pushed onto the stream. Nothing remembers that this is
still to be done: what a crash or a queue that is away prevents never happens. Everything else is the true service.
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
    """Takes the outbox out of the store, and the sweep that reads it out of the relay."""

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
