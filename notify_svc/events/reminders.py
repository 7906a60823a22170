"""Checks with the task service that a reminder still applies: the task may be done, deleted or due at another time.

`event_handler` adds reminders; valid ones go to `recorder`. A reminder that waits here is still pending on the stream,
so it survives a crash. While the task service is unavailable, only reminders wait.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import grpc
from task.v1 import task_pb2, task_pb2_grpc

from chassis import identity
from chassis.background_jobs import next_batch, waiting
from chassis.errors import Unavailable
from notify_svc.domain import Notification
from notify_svc.events.acknowledger import Acknowledger, Completed
from notify_svc.events.recorder import Recorder
from notify_svc.metrics import NotifyMetrics
from notify_svc.storage.event_store import EventStore

_BATCH = 50
_GET_SECONDS = 5.0

Arrived = tuple[str, Notification]


class Reminders:
    """Holds at most `capacity` reminders, each with the id of its stream entry."""

    def __init__(
        self,
        tasks: "task_pb2_grpc.TaskServiceAsyncStub",
        event_store: EventStore,
        recorder: Recorder,
        acknowledger: Acknowledger,
        *,
        metrics: NotifyMetrics,
        capacity: int = 1_000,
    ) -> None:
        self._tasks = tasks
        self._event_store = event_store
        self._acknowledger = acknowledger
        self._metrics = metrics
        self._recorder = recorder
        self._waiting: asyncio.Queue[Arrived] = asyncio.Queue(capacity)
        self._batch: list[Arrived] = []
        self._held: set[str] = set()

    def holds(self, entry_id: str) -> bool:
        """Return whether a stream entry already waits here."""
        return entry_id in self._held

    def add(self, entry_id: str, reminder: Notification) -> None:
        """Queue a reminder. If the queue is full, ignore it: it stays pending on the stream and is read again."""
        if not self._waiting.full():
            self._waiting.put_nowait((entry_id, reminder))
            self._held.add(entry_id)

    async def run(self) -> None:
        """Check reminders until cancelled. Raises Unavailable or RedisError; the next run retries the failed checks."""
        while True:
            await self._fill_batch()
            known = await self._event_store.are_recorded([reminder.id for _, reminder in self._batch])
            results = await asyncio.gather(
                *(self._check(arrived, is_known) for arrived, is_known in zip(self._batch, known, strict=True)),
                return_exceptions=True,
            )
            await self._process(list(zip(self._batch, results, strict=True)))

    async def _fill_batch(self) -> None:
        if self._batch:
            self._batch += waiting(self._waiting, _BATCH - len(self._batch))
        else:
            self._batch = await next_batch(self._waiting, _BATCH)

    async def _process(self, checked: Sequence[tuple[Arrived, Notification | BaseException | None]]) -> None:
        due = [(entry_id, result) for (entry_id, _), result in checked if isinstance(result, Notification)]
        if due:
            await self._recorder.record(due)
        for (entry_id, reminder), result in checked:
            if result is None:
                self._metrics.reminders_outdated.inc()
                await self._acknowledger.add(Completed(reminder.id, (entry_id,)))
        failures = [result for _, result in checked if isinstance(result, BaseException)]
        self._batch = [arrived for arrived, result in checked if isinstance(result, BaseException)]
        self._held.difference_update(
            entry_id for (entry_id, _), result in checked if not isinstance(result, BaseException)
        )
        if failures:
            raise failures[0]

    async def _check(self, arrived: Arrived, is_known: bool) -> Notification | None:
        """Return the reminder with the current title of the task, or None if it no longer applies."""
        _, reminder = arrived
        if is_known:  # it is already recorded, so it is delivered in any case
            return reminder
        identity.set_user(reminder.owner)
        identity.set_request_id(reminder.request_id or None)
        try:
            response = await self._tasks.GetTask(task_pb2.GetTaskRequest(id=reminder.task_id), timeout=_GET_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise Unavailable("TASK_SERVICE_UNAVAILABLE", f"GetTask: {error.code().name}") from None
        task = response.task
        is_due = task.HasField("due_time") and task.due_time.ToMilliseconds() == reminder.due_time_ms
        return replace(reminder, title=task.title) if is_due and task.status != task_pb2.TASK_STATUS_DONE else None
