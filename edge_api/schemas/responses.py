"""Response bodies. Every field is always present, and null if it is unset.

The models document what `convert` returns.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from starlette.responses import JSONResponse

from edge_api.schemas.fields import Priority, Status, TimeText

_TASK: dict[str, JsonValue] = {
    "id": "01JD0000000000000000000000",
    "title": "Buy milk",
    "description": "",
    "status": "TODO",
    "priority": "MEDIUM",
    "labels": ["home"],
    "due_time": "2027-01-31T12:00:00Z",
    "owner": "ada",
    "create_time": "2026-11-22T08:00:00.123456Z",
    "update_time": "2026-11-22T08:00:00.123456Z",
    "complete_time": None,
    "delete_time": None,
    "revision": 1,
    "etag": "r1",
}
_NOTIFICATION: dict[str, JsonValue] = {
    "id": "01JD0000000000000000000000:1:created",
    "kind": "TASK_CREATED",
    "task_id": "01JD0000000000000000000000",
    "title": "Buy milk",
    "create_time": "2026-11-22T08:00:00.123456Z",
    "read_time": None,
    "deliveries": [
        {"channel": "console", "outcome": "DELIVERED", "attempts": 1, "time": "2026-11-22T08:00:00.2Z"},
    ],
}


ANY = TypeAdapter[Any](Any)
"""Serializes plain values as JSON."""


class Json(JSONResponse):
    """A JSON response that is serialized by pydantic's fast serializer."""

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return ANY.dump_json(content)


class Task(BaseModel):
    """A task."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TASK]})

    id: str = Field(description="The task's id, a ULID: ids sort by creation time.")
    title: str = Field(description="The title.")
    description: str = Field(description="The details.")
    status: Status = Field(description="The status.")
    priority: Priority = Field(description="The priority.")
    labels: list[str] = Field(description="Labels to filter by.")
    due_time: TimeText | None = Field(
        description="When the task is due; null for no due time. The owner is reminded shortly before."
    )
    owner: str = Field(description="The user who owns the task.")
    create_time: TimeText = Field(description="When the task was created.")
    update_time: TimeText = Field(description="When the task was last updated, deleted or undeleted.")
    complete_time: TimeText | None = Field(description="When the status became DONE; null while it is not DONE.")
    delete_time: TimeText | None = Field(description="When the task was deleted; null if it is not deleted.")
    revision: int = Field(description="The number of writes: 1 for a new task, incremented by each change.")
    etag: str = Field(description="Identifies this revision; send it in If-Match, in quotes.")


class TaskPage(BaseModel):
    """A page of tasks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tasks": [_TASK], "next_page_token": ""}]})

    tasks: list[Task] = Field(description="The tasks in this page.")
    next_page_token: str = Field(description="The token for the next page; empty if and only if this is the last page.")


class Delivery(BaseModel):
    """The delivery of a notification over one channel."""

    channel: str = Field(description="The channel's name; `console` is the service's own log.")
    outcome: Literal["PENDING", "DELIVERED", "GAVE_UP"] = Field(description="The outcome so far.")
    attempts: int = Field(description="The number of attempts.")
    time: TimeText | None = Field(description="The time of the last attempt; null before the first attempt.")


class Notification(BaseModel):
    """A notification to a user about a task."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NOTIFICATION]})

    id: str = Field(description="The notification's id: the id of the event that caused it.")
    kind: Literal["TASK_CREATED", "TASK_DUE"] = Field(description="The kind of the notification.")
    task_id: str = Field(description="The id of the task.")
    title: str = Field(description="The task's title when the event happened.")
    create_time: TimeText = Field(description="When the event happened.")
    read_time: TimeText | None = Field(description="When the notification was marked as read; null while it is unread.")
    deliveries: list[Delivery] = Field(description="The deliveries of the notification, one per channel.")


class NotificationPage(BaseModel):
    """A page of notifications, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"notifications": [_NOTIFICATION], "next_page_token": "", "unread_count": 1}]}
    )

    notifications: list[Notification] = Field(description="The notifications in this page.")
    next_page_token: str = Field(description="The token for the next page; empty if and only if this is the last page.")
    unread_count: int = Field(description="The number of unread notifications in the whole inbox.")


class Session(BaseModel):
    """The current user."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "ada"}]})

    user: str = Field(description="The name of the user, as authenticated by the gateway.")


class Violation(BaseModel):
    """A rule that a field of the request violates."""

    field: str = Field(description="The field, such as `labels[2]`; empty for the request as a whole.")
    description: str = Field(description="The rule that the field violates.")


class Problem(BaseModel):
    """An error in the format of RFC 9457."""

    type: str = Field(description="Always `about:blank`; use `reason` to distinguish errors.")
    title: str = Field(description="The name of the HTTP status.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="A description of the error, for developers.")
    reason: str = Field(description="The error code, for programs.")
    request_id: str = Field(description="The id of the request in the logs.")
    violations: list[Violation] = Field([], description="The invalid fields, if the request is invalid.")
