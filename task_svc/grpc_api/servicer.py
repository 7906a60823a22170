"""The servicers: each method converts the request, calls `use_cases` or the feed once, and converts the result."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from task.v1 import events_pb2, events_pb2_grpc, task_pb2, task_pb2_grpc

from chassis.errors import InvalidInput, Violation
from chassis.feed.feed import Feed
from chassis.feed.stream_id import resume_point
from chassis.identity import require_user
from task_svc.convert import new_fields_from_proto, task_to_proto
from task_svc.grpc_api import field_mask, watch
from task_svc.grpc_api.list_request import ListRequest
from task_svc.outbox import EventId
from task_svc.use_cases import Tasks

CONFIRM_MAX = 1_000

Context = grpc.aio.ServicerContext[Any, Any]


class TaskServicer(task_pb2_grpc.TaskServiceServicer):
    """Serves users; every method acts as the user that `chassis.grpc_api.auth` has authenticated."""

    def __init__(self, tasks: Tasks, feed: Feed[watch.Event]) -> None:
        self._tasks = tasks
        self._feed = feed

    async def CreateTask(self, request: task_pb2.CreateTaskRequest, context: Context) -> task_pb2.CreateTaskResponse:
        """See task.proto."""
        fields = new_fields_from_proto(request)
        task = await self._tasks.create(require_user(), fields, request.request_id)
        return task_pb2.CreateTaskResponse(task=task_to_proto(task))

    async def GetTask(self, request: task_pb2.GetTaskRequest, context: Context) -> task_pb2.GetTaskResponse:
        """See task.proto."""
        task = await self._tasks.get(require_user(), request.id, show_deleted=request.show_deleted)
        return task_pb2.GetTaskResponse(task=task_to_proto(task))

    async def ListTasks(self, request: task_pb2.ListTasksRequest, context: Context) -> task_pb2.ListTasksResponse:
        """See task.proto."""
        owner = require_user()
        query = ListRequest.from_proto(request, owner)
        page = await self._tasks.list(owner, query.criteria, query.order, query.after, query.limit)
        return query.answer(page, owner)

    async def UpdateTask(self, request: task_pb2.UpdateTaskRequest, context: Context) -> task_pb2.UpdateTaskResponse:
        """See task.proto."""
        change = field_mask.content_change(request.task, request.update_mask)
        task = await self._tasks.update(
            require_user(), request.task.id, lambda fields: field_mask.apply(fields, change), request.task.etag
        )
        return task_pb2.UpdateTaskResponse(task=task_to_proto(task))

    async def DeleteTask(self, request: task_pb2.DeleteTaskRequest, context: Context) -> task_pb2.DeleteTaskResponse:
        """See task.proto."""
        task = await self._tasks.delete(require_user(), request.id, request.etag)
        return task_pb2.DeleteTaskResponse(task=task_to_proto(task))

    async def UndeleteTask(
        self, request: task_pb2.UndeleteTaskRequest, context: Context
    ) -> task_pb2.UndeleteTaskResponse:
        """See task.proto."""
        task = await self._tasks.undelete(require_user(), request.id)
        return task_pb2.UndeleteTaskResponse(task=task_to_proto(task))

    async def WatchTasks(
        self, request: task_pb2.WatchTasksRequest, context: Context
    ) -> AsyncIterator[task_pb2.WatchTasksResponse]:
        """See task.proto."""
        async with aclosing(self._feed.batches(require_user(), resume_point(request.resume_token))) as batches:
            async for batch in batches:
                for response in watch.task_responses(batch):
                    yield response


class TaskEventsServicer(events_pb2_grpc.TaskEventsServiceServicer):
    """Serves the other services of the mesh."""

    def __init__(self, tasks: Tasks, feed: Feed[watch.Event]) -> None:
        self._tasks = tasks
        self._feed = feed

    async def ConfirmEvents(
        self, request: events_pb2.ConfirmEventsRequest, context: Context
    ) -> events_pb2.ConfirmEventsResponse:
        """See events.proto."""
        if len(request.event_ids) > CONFIRM_MAX:
            raise InvalidInput(Violation("event_ids", f"must be at most {CONFIRM_MAX:,} ids"))
        ids = [id for text in request.event_ids if (id := EventId.parse(text)) is not None]
        await self._tasks.confirm(ids)
        return events_pb2.ConfirmEventsResponse()

    async def WatchTaskEvents(
        self, request: events_pb2.WatchTaskEventsRequest, context: Context
    ) -> AsyncIterator[events_pb2.WatchTaskEventsResponse]:
        """See events.proto."""
        after = resume_point(request.resume_token)
        async with aclosing(self._feed.batches(None, after, waiting=self._feed.limits.items)) as batches:
            async for batch in batches:
                for response in watch.event_responses(batch):
                    yield response
