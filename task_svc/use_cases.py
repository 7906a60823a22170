"""The use cases of the task service, one method each: they apply the rules of `domain` to stored tasks.

`grpc_api/servicer` calls them; they store tasks through the ports `repository` and `outbox`.
"""

import dataclasses
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
from task_svc.domain import Task, TaskFields
from task_svc.outbox import Clock, Event, EventId, EventType, OutboxEntry
from task_svc.repository import Creation, Cursor, Filter, Order, Page, TaskRepository

NewId = Callable[[datetime], str]
Publish = Callable[[OutboxEntry], None]

# The sweep publishes a new event only after this time, so that the replica that wrote it can publish it first.
PUBLISH_GRACE = timedelta(seconds=2)
_ULID = frozenset("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
_ULID_LENGTH = 26
_IN_VERSION_0 = ("title", "description", "status", "priority", "labels", "due_time")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Identifies the request that causes an event."""

    request_id: str
    traceparent: str

    @classmethod
    def current(cls) -> "RequestContext":
        """Return the context of the current request."""
        return cls(current_request_id() or "", tracing.traceparent())


class Tasks:
    """The tasks of all users. Each event is passed to `publish` after it is stored.

    A reminder is sent `reminder_lead` before a task is due. `new_id` returns a new ULID for a time.
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

    async def create(self, owner: str, fields: TaskFields, request_id: str) -> Task:
        """Create a task. If an earlier request with this request_id created one, return that task in its current state.

        Raises InvalidInput for invalid fields, and with reason REQUEST_ID_REUSED if the request_id was used with
        different fields.
        """
        if violations := [*domain.request_id_violations(request_id)]:
            raise InvalidInput(*fields.violations(), *violations)
        now = self._clock()
        task = domain.create(self._new_id(now), owner, fields, now)
        event = self._event(EventType.CREATED, task, now, RequestContext.current())
        creation = Creation(task, request_id or secrets.token_hex(16), _fingerprint(fields), event)
        created = await self._repository.insert(creation)
        if created.is_new:
            self._publish(event)
        elif not _matches(created.fingerprint, fields):
            violation = Violation("request_id", "was already used with different fields")
            raise InvalidInput(violation, reason="REQUEST_ID_REUSED")
        return created.task

    async def get(self, owner: str, task_id: str, *, show_deleted: bool) -> Task:
        """Return a task. Raises NotFound, also for a deleted task unless `show_deleted`."""
        _check_id(task_id)
        task = await self._repository.get(owner, task_id)
        if not show_deleted:
            task.check_alive()
        return task

    async def list(self, owner: str, criteria: Filter, order: Order, after: Cursor | None, limit: int) -> Page:
        """Return one page of tasks."""
        return await self._repository.list(owner, criteria, order, after, limit)

    async def update(self, owner: str, task_id: str, change: Callable[[TaskFields], TaskFields], etag: str) -> Task:
        """Apply `change` to the fields of a task; see `domain.update` for the errors."""
        now = self._clock()
        return await self._change(
            owner, task_id, EventType.UPDATED, lambda task: domain.update(task, change(task.fields), etag, now)
        )

    async def delete(self, owner: str, task_id: str, etag: str) -> Task:
        """Delete a task; see `domain.delete` for the errors."""
        now = self._clock()
        return await self._change(owner, task_id, EventType.DELETED, lambda task: domain.delete(task, etag, now))

    async def undelete(self, owner: str, task_id: str) -> Task:
        """Restore a deleted task; see `domain.undelete` for the errors."""
        now = self._clock()
        return await self._change(owner, task_id, EventType.UPDATED, lambda task: domain.undelete(task, now))

    async def confirm(self, ids: Sequence[EventId]) -> int:
        """Remove confirmed events from the outbox; return how many it contained."""
        return await self._repository.confirmed(ids)

    async def remind(self, limit: int) -> int:
        """Put reminders for at most `limit` due tasks into the outbox; return the number of due tasks found.

        If two replicas do this at the same time, they write the same event, and consumers ignore the duplicate.
        """
        until = self._clock() + self._reminder_lead
        found = await self._repository.to_remind(until, limit)
        for owner, task_id in found:
            set_request_id(None)  # no request causes a reminder: a new id links it to its notification
            with suppress(NotFound):
                await self._change(owner, task_id, EventType.DUE, lambda task: domain.remind(task, until))
        return len(found)

    async def _change(self, owner: str, task_id: str, kind: EventType, apply: Callable[[Task], Task]) -> Task:
        _check_id(task_id)
        context = RequestContext.current()  # not inside `change`: a store may call that in a thread without the context

        def change(task: Task) -> tuple[Task, OutboxEntry] | None:
            changed = apply(task)
            if changed is task:
                return None
            return changed, self._event(kind, changed, max(self._clock(), changed.update_time), context)

        task, event = await self._repository.change(owner, task_id, change)
        if event is not None:
            self._publish(event)
        return task

    def _event(self, kind: EventType, task: Task, now: datetime, context: "RequestContext") -> OutboxEntry:
        event = Event(kind, task, now, context.request_id, context.traceparent)
        return OutboxEntry(event.id, convert.event_to_bytes(event), now, next_attempt_at=self._clock() + PUBLISH_GRACE)


def _check_id(task_id: str) -> None:
    if len(task_id) != _ULID_LENGTH or not _ULID.issuperset(task_id):
        raise domain.not_found(task_id)


def _fingerprint(fields: TaskFields) -> bytes:
    """Return the fingerprint of a create: version 1, then a hash of the fields that differ from their defaults.

    A field that is added later therefore does not change the fingerprint of a request without it.
    """
    return b"\x01" + hashlib.sha256(json.dumps(_non_defaults(fields), default=str, sort_keys=True).encode()).digest()


def _matches(fingerprint: bytes, fields: TaskFields) -> bool:
    """Return whether a stored fingerprint is that of these fields. Version 0 has 32 bytes and no version byte."""
    if len(fingerprint) > hashlib.sha256().digest_size:
        return fingerprint == _fingerprint(fields)
    if _non_defaults(fields).keys() - set(_IN_VERSION_0):
        return False
    values = [getattr(fields, name) for name in _IN_VERSION_0]
    return fingerprint == hashlib.sha256(json.dumps(values, default=datetime.isoformat).encode()).digest()


def _non_defaults(fields: TaskFields) -> dict[str, object]:
    """Return the fields that differ from their defaults."""
    return {
        field.name: value
        for field in dataclasses.fields(fields)
        if (value := getattr(fields, field.name)) != field.default
    }
