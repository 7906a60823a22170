"""Task events as the task service publishes them."""

from google.protobuf.timestamp_pb2 import Timestamp
from redis.asyncio import Redis
from task.v1 import events_pb2, task_pb2

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OCCURRED_MS = 1_795_000_000_000


def task_id(number: int) -> str:
    """Return a ULID that sorts by its number."""
    return f"01JD{number:022d}"


def created(
    number: int, owner: str = "demo", title: str = "Buy milk", at_ms: int = OCCURRED_MS
) -> events_pb2.TaskEvent:
    """Return a valid event: a task was created."""
    occur_time = Timestamp()
    occur_time.FromMilliseconds(at_ms)
    return events_pb2.TaskEvent(
        event_id=f"{task_id(number)}:1:created",
        type=events_pb2.TASK_EVENT_TYPE_CREATED,
        schema_version=1,
        revision=1,
        owner=owner,
        task=task_pb2.Task(id=task_id(number), title=title, owner=owner, revision=1),
        occur_time=occur_time,
        request_id=f"request-{number}",
        traceparent=TRACEPARENT,
    )


def changed(number: int) -> events_pb2.TaskEvent:
    """Return a valid event without a notification: a task was changed."""
    event = created(number)
    event.event_id = f"{task_id(number)}:2:changed"
    event.type = events_pb2.TASK_EVENT_TYPE_UPDATED
    event.revision = event.task.revision = 2
    return event


def due(number: int, owner: str = "demo", title: str = "Buy milk") -> events_pb2.TaskEvent:
    """Return a valid event: a reminder of a task that is due an hour after the event."""
    event = created(number, owner, title)
    event.event_id = f"{task_id(number)}:1:due"
    event.type = events_pb2.TASK_EVENT_TYPE_DUE
    event.task.status = task_pb2.TASK_STATUS_TODO
    event.task.due_time.FromMilliseconds(OCCURRED_MS + 3_600_000)
    return event


def entry(event: events_pb2.TaskEvent) -> dict[bytes, bytes]:
    """Return the fields of the event's stream entry."""
    return {b"id": event.event_id.encode(), b"event": event.SerializeToString()}


async def publish(redis: Redis, *events: events_pb2.TaskEvent) -> list[bytes]:
    """Add events to the stream; return the ids of their entries."""
    async with redis.pipeline(transaction=False) as pipeline:
        for event in events:
            pipeline.xadd("task-events", dict(entry(event).items()))
        ids: list[bytes] = await pipeline.execute()
        return ids
