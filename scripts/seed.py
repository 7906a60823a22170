"""`make seed`: create tasks for the user `demo` through the gateway. Safe to repeat.

Each task has a fixed Idempotency-Key, so a repeat neither creates it again nor reverts later changes.
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
    ({"title": "Repair the bicycle", "labels": ["home"], "due_time": _in(minutes=16)}, "TODO"),
)
"""Each task as created, and its status after an update."""


def seed(client: httpx.Client) -> None:
    """Create the missing tasks. Raise HTTPStatusError if a request fails."""
    for number, (body, status) in enumerate(TASKS):
        response = client.post("/api/v1/tasks", json=body, headers={"Idempotency-Key": f"seed-{number}"})
        if response.status_code == 422 and response.json()["reason"] == "REQUEST_ID_REUSED":
            continue  # created earlier, with another due time
        task = response.raise_for_status().json()
        if task["revision"] == 1 and task["status"] != status:
            headers = {"Content-Type": "application/merge-patch+json", "If-Match": response.headers["ETag"]}
            client.patch(response.headers["Location"], json={"status": status}, headers=headers).raise_for_status()


def main() -> int:
    """Seed the system on this machine; return the exit status."""
    gateway = f"http://127.0.0.1:{os.environ.get('GATEWAY_PORT') or 8000}"
    try:
        with httpx.Client(base_url=gateway, headers={"x-api-key": "demo-key"}, trust_env=False, timeout=10) as client:
            seed(client)
    except httpx.HTTPStatusError as error:
        sys.stderr.write(f"{gateway} returned {error.response.status_code}: {error.response.text}\n")
        return 1
    except httpx.TransportError as error:
        sys.stderr.write(f"{gateway} is unavailable ({error}). Is `make dev` or `make up` running?\n")
        return 1
    print(f"The user demo has the {len(TASKS)} example tasks: {gateway}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
