"""Calls the operations with the client that openapi-python-client generates: `journey.py GATEWAY USER KEY`.

An AssertionError says which answer differs.
"""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
from taskmesh_client import AuthenticatedClient
from taskmesh_client.api.notifications import list_notifications, mark_notifications_read
from taskmesh_client.api.session import get_session
from taskmesh_client.api.tasks import create_task, delete_task, get_task, list_tasks, undelete_task, update_task
from taskmesh_client.models import (
    NewTask,
    NewTaskPriority,
    Notification,
    NotificationPage,
    Problem,
    ReadMarks,
    Session,
    Task,
    TaskPage,
    TaskPatch,
    TaskPatchStatus,
    TaskStatus,
)
from taskmesh_client.types import Response

_STRANGERS_PER_MINUTE = 60


def connect(gateway: str, key: str) -> AuthenticatedClient:
    """A client that sends the key in `x-api-key`."""
    return AuthenticatedClient(gateway, token=key, prefix="", auth_header_name="x-api-key")


def task_of(response: Response[Any]) -> Task:
    """The task of a successful response."""
    assert isinstance(response.parsed, Task), response.content
    assert response.headers["ETag"] == f'"{response.parsed.etag}"'
    return response.parsed


def problem_of(response: Response[Any], status: HTTPStatus) -> Problem:
    """The problem of a response with this status."""
    assert isinstance(response.parsed, Problem), response.content
    assert (response.status_code, response.parsed.status) == (status, status)
    return response.parsed


def create(client: AuthenticatedClient) -> Task:
    """The same Idempotency-Key creates one task."""
    body = NewTask("Buy milk", priority=NewTaskPriority.HIGH, due_time=datetime.now(UTC) + timedelta(days=7))
    key = str(uuid4())
    response = create_task.sync_detailed(client=client, body=body, idempotency_key=key)
    task = task_of(response)
    assert response.headers["Location"] == f"/api/v1/tasks/{task.id}"
    assert task_of(create_task.sync_detailed(client=client, body=body, idempotency_key=key)) == task
    return task


def list_in_pages(client: AuthenticatedClient) -> None:
    """The pages together have every task once."""
    label = str(uuid4())
    created = [
        task_of(create_task.sync_detailed(client=client, body=NewTask(f"Task {number}", labels=[label]))).id
        for number in range(5)
    ]
    listed: list[str] = []
    token = ""
    while True:
        page = list_tasks.sync(client=client, labels=[label], page_size=2, page_token=token)
        assert isinstance(page, TaskPage), page
        listed += [task.id for task in page.tasks]
        token = page.next_page_token
        if not token:
            break
    assert listed == created[::-1]


def change(client: AuthenticatedClient, task: Task) -> Task:
    """A change with If-Match is made once; null clears a field."""
    etag = f'"{task.etag}"'
    unchanged = get_task.sync_detailed(task.id, client=client, if_none_match=etag)
    assert (unchanged.status_code, unchanged.parsed) == (HTTPStatus.NOT_MODIFIED, None)

    patch = TaskPatch(status=TaskPatchStatus.DONE)
    done = task_of(update_task.sync_detailed(task.id, client=client, body=patch, if_match=etag))
    assert (done.status, done.due_time) == (TaskStatus.DONE, task.due_time)
    refused = update_task.sync_detailed(task.id, client=client, body=patch, if_match=etag)
    assert problem_of(refused, HTTPStatus.PRECONDITION_FAILED).reason == "ETAG_MISMATCH"

    cleared = task_of(update_task.sync_detailed(task.id, client=client, body=TaskPatch(due_time=None)))
    assert (cleared.title, cleared.due_time) == (task.title, None)
    return cleared


def delete_and_undelete(client: AuthenticatedClient, task: Task) -> None:
    """A deleted task is found only with `show_deleted`, until it is undeleted."""
    refused = undelete_task.sync_detailed(task.id, client=client)
    assert problem_of(refused, HTTPStatus.CONFLICT).reason == "NOT_DELETED"

    deleted = delete_task.sync_detailed(task.id, client=client, if_match=f'"{task.etag}"')
    assert deleted.status_code == HTTPStatus.NO_CONTENT
    missing = get_task.sync_detailed(task.id, client=client)
    assert problem_of(missing, HTTPStatus.NOT_FOUND).reason == "TASK_NOT_FOUND"
    assert task_of(get_task.sync_detailed(task.id, client=client, show_deleted=True)).delete_time
    assert task_of(undelete_task.sync_detailed(task.id, client=client)).delete_time is None


def break_a_rule(client: AuthenticatedClient) -> None:
    """The violations name the fields."""
    refused = create_task.sync_detailed(client=client, body=NewTask(" ", labels=["shop", ""]))
    problem = problem_of(refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    assert problem.violations
    assert [violation.field for violation in problem.violations] == ["title", "labels[1]"]


def exceed_the_limit(gateway: str) -> None:
    """The gateway limits requests without a valid key per address; Retry-After says for how long."""
    with connect(gateway, "no-such-key") as stranger:
        for _ in range(2 * _STRANGERS_PER_MINUTE):  # the minute may end in between
            response = get_session.sync_detailed(client=stranger)
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                break
            assert problem_of(response, HTTPStatus.UNAUTHORIZED).reason == "UNAUTHORIZED"
    assert problem_of(response, HTTPStatus.TOO_MANY_REQUESTS).reason == "TOO_MANY_REQUESTS"
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def watch(client: AuthenticatedClient) -> Notification:
    """The event stream sends a new task and its notification, in either order."""
    received: dict[str, Any] = {}
    # The generated `watch_events` returns when the stream ends, so the HTTP client inside it reads the events.
    with client.get_httpx_client().stream("GET", "/api/v1/events", timeout=30) as stream:
        task = task_of(create_task.sync_detailed(client=client, body=NewTask("Buy bread")))
        for name, data in events(stream):
            if task.id in (data.get("id"), data.get("task_id")):
                received[name] = data
            if received.keys() == {"task.created", "notification"}:
                break
    assert Task.from_dict(received["task.created"]) == task
    return Notification.from_dict(received["notification"])


def events(stream: httpx.Response) -> Iterator[tuple[str, Any]]:
    """The name and the data of each server-sent event."""
    name = ""
    for line in stream.iter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def mark_as_read(client: AuthenticatedClient, notification: Notification) -> None:
    """A notification is unread until it is marked."""
    assert inbox(client)[notification.id].read_time is None
    marked = mark_notifications_read.sync_detailed(client=client, body=ReadMarks(ids=[notification.id]))
    assert marked.status_code == HTTPStatus.NO_CONTENT
    assert inbox(client)[notification.id].read_time


def inbox(client: AuthenticatedClient) -> dict[str, Notification]:
    """The newest notifications by id."""
    page = list_notifications.sync(client=client)
    assert isinstance(page, NotificationPage), page
    return {notification.id: notification for notification in page.notifications}


def main(gateway: str, user: str, key: str) -> None:
    """Takes every step."""
    with connect(gateway, key) as client:
        assert get_session.sync(client=client) == Session(user)
        task = create(client)
        list_in_pages(client)
        task = change(client, task)
        delete_and_undelete(client, task)
        break_a_rule(client)
        mark_as_read(client, watch(client))
    exceed_the_limit(gateway)


if __name__ == "__main__":
    main(*sys.argv[1:])
