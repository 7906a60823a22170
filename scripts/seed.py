"""Gives the user `demo` some tasks to look at: `make seed`. Safe to repeat.

It comes through the gateway like any client. Each task has a fixed Idempotency-Key, so a repeat makes no second one,
and what somebody has done with a task stays done.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

_NOW = datetime.now(UTC).replace(microsecond=0)


def _in(**time: float) -> str:
    return (_NOW + timedelta(**time)).isoformat().replace("+00:00", "Z")


TASKS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"title": "Buy milk", "labels": ["shop"], "priority": "HIGH", "due_time": _in(hours=4)}, "TODO"),
    ({"title": "Buy bread", "labels": ["shop"]}, "DONE"),
    ({"title": "Water the plants", "labels": ["home"], "priority": "LOW", "due_time": _in(days=1)}, "TODO"),
    ({"title": "Call the bank", "description": "About the standing order.", "priority": "URGENT"}, "IN_PROGRESS"),
    ({"title": "Read about the outbox", "labels": ["learn"], "due_time": _in(days=2)}, "IN_PROGRESS"),
    ({"title": "Find the slow store in a trace", "labels": ["learn"], "description": "make drill N=1"}, "TODO"),
    ({"title": "Replay a dead letter", "labels": ["learn"], "description": "make drill N=3"}, "TODO"),
    ({"title": "Start the mesh", "labels": ["learn"], "priority": "HIGH"}, "DONE"),
    ({"title": "Book a table for eight", "due_time": _in(days=5)}, "TODO"),
    ({"title": "Mend the bicycle", "labels": ["home"], "due_time": _in(minutes=16)}, "TODO"),
)
"""Each task as it is created, and the status that it is then given."""


def seed(client: httpx.Client) -> None:
    """Makes the tasks that are not there. Raises HTTPStatusError when one is refused."""
    for number, (body, status) in enumerate(TASKS):
        answer = client.post("/api/v1/tasks", json=body, headers={"Idempotency-Key": f"seed-{number}"})
        if answer.status_code == 422 and answer.json()["reason"] == "REQUEST_ID_REUSED":
            continue  # made on another day, with another due time
        task = answer.raise_for_status().json()
        if task["revision"] == 1 and task["status"] != status:
            headers = {"Content-Type": "application/merge-patch+json", "If-Match": answer.headers["ETag"]}
            client.patch(answer.headers["Location"], json={"status": status}, headers=headers).raise_for_status()


def main() -> int:
    """Seeds the mesh that runs on this machine; gives the exit status."""
    gateway = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT') or 8000}"
    try:
        with httpx.Client(base_url=gateway, headers={"x-api-key": "demo-key"}, trust_env=False, timeout=10) as client:
            seed(client)
    except httpx.HTTPStatusError as error:
        sys.stderr.write(f"{gateway} answers {error.response.status_code}: {error.response.text}\n")
        return 1
    except httpx.TransportError as error:
        sys.stderr.write(f"{gateway} does not answer ({error}): is `make dev` or `make up` running?\n")
        return 1
    print(f"The {len(TASKS)} tasks of the user demo are there: {gateway}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
