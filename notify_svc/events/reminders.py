"""Asks the task service whether a reminder still applies: the task may be done, deleted or due at another time.

Between `event_handler` and `recorder`. A reminder that waits here is still pending on the stream, so it survives the
process. While the task service is away, only reminders wait.
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
_ASK_SECONDS = 5.0

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
        """Whether a stream entry waits here already."""
        return entry_id in self._held

    def add(self, entry_id: str, reminder: Notification) -> None:
        """Queues a reminder; while there is no room it is ignored, and read again later."""
        if not self._waiting.full():
            self._waiting.put_nowait((entry_id, reminder))
            self._held.add(entry_id)

    async def run(self) -> None:
        """Works until cancelled. Raises Unavailable or RedisError; run again, it goes on with what was not answered."""
        while True:
            await self._fill_batch()
            known = await self._event_store.are_recorded([reminder.id for _, reminder in self._batch])
            answers = await asyncio.gather(
                *(self._ask(arrived, is_known) for arrived, is_known in zip(self._batch, known, strict=True)),
                return_exceptions=True,
            )
            await self._settle(list(zip(self._batch, answers, strict=True)))

    async def _fill_batch(self) -> None:
        if self._batch:
            self._batch += waiting(self._waiting, _BATCH - len(self._batch))
        else:
            self._batch = await next_batch(self._waiting, _BATCH)

    async def _settle(self, answered: Sequence[tuple[Arrived, Notification | BaseException | None]]) -> None:
        due = [(entry_id, answer) for (entry_id, _), answer in answered if isinstance(answer, Notification)]
        if due:
            await self._recorder.record(due)
        for (entry_id, reminder), answer in answered:
            if answer is None:
                self._metrics.reminders_outdated.inc()
                await self._acknowledger.add(Completed(reminder.id, (entry_id,)))
        failures = [answer for _, answer in answered if isinstance(answer, BaseException)]
        self._batch = [arrived for arrived, answer in answered if isinstance(answer, BaseException)]
        self._held.difference_update(
            entry_id for (entry_id, _), answer in answered if not isinstance(answer, BaseException)
        )
        if failures:
            raise failures[0]

    async def _ask(self, arrived: Arrived, is_known: bool) -> Notification | None:
        """The reminder under the title that the task has now, or None where it holds no more."""
        _, reminder = arrived
        if is_known:  # it was told, or is about to be
            return reminder
        identity.set_user(reminder.owner)
        identity.set_request_id(reminder.request_id or None)
        try:
            answer = await self._tasks.GetTask(task_pb2.GetTaskRequest(id=reminder.task_id), timeout=_ASK_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise Unavailable("TASK_SERVICE_UNAVAILABLE", f"GetTask: {error.code().name}") from None
        task = answer.task
        is_due = task.HasField("due_time") and task.due_time.ToMilliseconds() == reminder.due_time_ms
        return replace(reminder, title=task.title) if is_due and task.status != task_pb2.TASK_STATUS_DONE else None
