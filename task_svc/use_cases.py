"""What the task service does, one method a use case: the rules of `domain` applied to what the store holds.

Stands between `servicer`, which speaks gRPC, and the ports `repository` and `outbox`.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ulid import ULID

from chassis import tracing
from chassis.errors import InvalidInput, NotFound, Violation
from chassis.identity import current_request_id, set_request_id
from task_svc import convert, domain
from task_svc.domain import Content, Task
from task_svc.outbox import Event, EventId, EventType, Pending
from task_svc.repository import Creation, Cursor, Filter, Order, Page, TaskRepository

Clock = Callable[[], datetime]
NewId = Callable[[datetime], str]
Publish = Callable[[Pending], None]

# How long the sweep leaves an event to the replica that wrote it.
PUBLISH_GRACE = timedelta(seconds=2)
_ULID = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_ULID_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Origin:
    """The request that something happens in."""

    request_id: str
    traceparent: str

    @classmethod
    def current(cls) -> "Origin":
        """The request at hand; must be asked in its own task."""
        return cls(current_request_id() or "", tracing.traceparent())


class Tasks:
    """The tasks of every user. `publish` is told of each event once it is stored.

    Owners are reminded of a task so long before it is due as `reminder_lead` says; `new_id` makes a ULID of a time.
    """

    def __init__(
        self,
        repository: TaskRepository,
        clock: Clock,
        publish: Publish,
        reminder_lead: timedelta = timedelta(),
        new_id: NewId = lambda now: str(ULID.from_datetime(now)),
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._publish = publish
        self._reminder_lead = reminder_lead
        self._new_id = new_id

    async def create(self, owner: str, content: Content, request_id: str) -> Task:
        """The new task, or the one that the same request made before, as it is now.

        Raises InvalidInput when the content breaks a rule, or with reason REQUEST_ID_REUSED when the request_id came
        with other content before.
        """
        if request_id:
            domain.check_request_id(request_id)
        now = self._clock()
        task = domain.create(self._new_id(now), owner, content, now)
        event = self._event(EventType.CREATED, task, now, Origin.current())
        fingerprint = _fingerprint(content)
        creation = Creation(task, request_id or secrets.token_hex(16), fingerprint, event)
        created = await self._repository.insert(creation)
        if created.is_new:
            self._publish(event)
        elif created.fingerprint != fingerprint:
            violation = Violation("request_id", "was used before, with other content")
            raise InvalidInput(violation, reason="REQUEST_ID_REUSED")
        return created.task

    async def get(self, owner: str, task_id: str, *, show_deleted: bool) -> Task:
        """The task. Raises NotFound, also for a deleted one unless `show_deleted`."""
        _check_id(task_id)
        task = await self._repository.get(owner, task_id)
        if not show_deleted:
            task.check_alive()
        return task

    async def list(self, owner: str, which: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """One page of tasks."""
        return await self._repository.list(owner, which, order, after, limit)

    async def update(self, owner: str, task_id: str, change: Callable[[Content], Content], etag: str) -> Task:
        """The task with what `change` makes of its content; see `domain.update` for the errors."""
        now = self._clock()
        return await self._change(
            owner, task_id, EventType.UPDATED, lambda task: domain.update(task, change(task.content), etag, now)
        )

    async def delete(self, owner: str, task_id: str, etag: str) -> Task:
        """The deleted task; see `domain.delete` for the errors."""
        now = self._clock()
        return await self._change(owner, task_id, EventType.DELETED, lambda task: domain.delete(task, etag, now))

    async def undelete(self, owner: str, task_id: str) -> Task:
        """The task, no longer deleted; see `domain.undelete` for the errors."""
        now = self._clock()
        return await self._change(owner, task_id, EventType.UPDATED, lambda task: domain.undelete(task, now))

    async def confirm(self, ids: Sequence[EventId]) -> int:
        """Clears the events that were handled for good; tells how many of them were waiting."""
        return await self._repository.confirmed(ids)

    async def remind(self, limit: int) -> int:
        """Puts at most `limit` tasks that come due into the outbox; tells how many it found.

        What two replicas do at the same time is the same event, which has one effect.
        """
        until = self._clock() + self._reminder_lead
        found = await self._repository.to_remind(until, limit)
        for owner, task_id in found:
            set_request_id(None)  # no request causes it; its own id leads from here to the notification
            with suppress(NotFound):
                await self._change(owner, task_id, EventType.DUE, lambda task: domain.remind(task, until))
        return len(found)

    async def _change(self, owner: str, task_id: str, kind: EventType, verb: Callable[[Task], Task]) -> Task:
        _check_id(task_id)
        origin = Origin.current()  # now, for a store may call `change` where the request is not known
        events: list[Pending] = []

        def change(task: Task) -> tuple[Task, Pending] | None:
            events.clear()
            changed = verb(task)
            if changed is task:
                return None
            events.append(self._event(kind, changed, max(self._clock(), changed.update_time), origin))
            return changed, events[0]

        task = await self._repository.change(owner, task_id, change)
        for event in events:
            self._publish(event)
        return task

    def _event(self, kind: EventType, task: Task, now: datetime, origin: "Origin") -> Pending:
        event = Event(kind, task, now, origin.request_id, origin.traceparent)
        return Pending(event.id, convert.event_to_bytes(event), now, look_at=self._clock() + PUBLISH_GRACE)


def _check_id(task_id: str) -> None:
    if len(task_id) != _ULID_LENGTH or not _ULID.issuperset(task_id):
        raise domain.not_found(task_id)


def _fingerprint(content: Content) -> bytes:
    due_time = content.due_time.isoformat() if content.due_time else None
    parts = (content.title, content.description, content.status, content.priority, content.labels, due_time)
    return hashlib.sha256(json.dumps(parts).encode()).digest()
