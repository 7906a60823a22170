"""What the edge answers with: every field is always there, null where it is unset."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

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


class Task(BaseModel):
    """A thing to do."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TASK]})

    id: str = Field(description="A ULID: ids sort by creation time.")
    title: str = Field(description="What is to be done.")
    description: str = Field(description="The details.")
    status: Status = Field(description="How far it is.")
    priority: Priority = Field(description="How much it matters.")
    labels: list[str] = Field(description="Words to find it by.")
    due_time: TimeText | None = Field(
        description="When it is to be done; null for never. Its owner is reminded some time before."
    )
    owner: str = Field(description="The user whose task it is.")
    create_time: TimeText = Field(description="When it was created.")
    update_time: TimeText = Field(description="When it was last changed, deleted or undeleted.")
    complete_time: TimeText | None = Field(description="When it became DONE; null while it is not.")
    delete_time: TimeText | None = Field(description="When it was deleted; null while it is not.")
    revision: int = Field(description="How often it was written: 1 for a new task.")
    etag: str = Field(description="Stands for this revision; send it in If-Match, in quotes.")


class TaskPage(BaseModel):
    """A page of tasks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tasks": [_TASK], "next_page_token": ""}]})

    tasks: list[Task] = Field(description="The tasks of this page.")
    next_page_token: str = Field(description="Where the next page begins; empty after the last page, and only then.")


class Delivery(BaseModel):
    """The delivery of a notification over one channel."""

    channel: str = Field(description="The channel's name; `console` is the service's own log.")
    outcome: Literal["PENDING", "DELIVERED", "GAVE_UP"] = Field(description="How it ended, if it has.")
    attempts: int = Field(description="How often it was tried.")
    time: TimeText | None = Field(description="When it was last tried; null before the first attempt.")


class Notification(BaseModel):
    """Something that the user was told."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NOTIFICATION]})

    id: str = Field(description="The id of the event behind it.")
    kind: Literal["TASK_CREATED", "TASK_DUE"] = Field(description="What it tells.")
    task_id: str = Field(description="The task that it is about.")
    title: str = Field(description="The task's title at that time.")
    create_time: TimeText = Field(description="When the event happened.")
    read_time: TimeText | None = Field(description="When the user read it; null while it is unread.")
    deliveries: list[Delivery] = Field(description="How it was delivered, one entry a channel.")


class NotificationPage(BaseModel):
    """A page of notifications, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"notifications": [_NOTIFICATION], "next_page_token": "", "unread_count": 1}]}
    )

    notifications: list[Notification] = Field(description="The notifications of this page.")
    next_page_token: str = Field(description="Where the next page begins; empty after the last page, and only then.")
    unread_count: int = Field(description="How many notifications in the whole inbox are unread.")


class Session(BaseModel):
    """Who is calling."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user": "ada"}]})

    user: str = Field(description="The user that the gateway knows the caller as.")


class Violation(BaseModel):
    """One rule that one field of the request breaks."""

    field: str = Field(description="The field, like `labels[2]`; empty for the request as a whole.")
    description: str = Field(description="The rule that it breaks.")


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: str = Field(description="about:blank: `reason` tells errors apart.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong, for developers.")
    reason: str = Field(description="What went wrong, for programs.")
    request_id: str = Field(description="By this the request is found in the logs.")
    violations: list[Violation] = Field([], description="The fields at fault, where the input is.")
