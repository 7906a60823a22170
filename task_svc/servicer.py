"""The gRPC face of `tasks`: converts in, makes one call, converts out."""

from typing import Any

import grpc
from task.v1 import task_pb2, task_pb2_grpc

from chassis.errors import InvalidInput, Violation
from chassis.identity import require_user
from task_svc import masks
from task_svc.convert import content_from_proto, task_to_proto
from task_svc.outbox import EventId
from task_svc.queries import Query
from task_svc.tasks import Tasks

CONFIRM_MAX = 1_000

Context = grpc.aio.ServicerContext[Any, Any]


class TaskServicer(task_pb2_grpc.TaskServiceServicer):
    """Answers users' calls; every method acts as the user whom `chassis.guards` let in."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def CreateTask(self, request: task_pb2.CreateTaskRequest, context: Context) -> task_pb2.CreateTaskResponse:
        """See task.proto."""
        masks.refuse_service_fields(request.task)
        content = content_from_proto(request.task)
        task = await self._tasks.create(require_user(), content, request.request_id)
        return task_pb2.CreateTaskResponse(task=task_to_proto(task))

    async def GetTask(self, request: task_pb2.GetTaskRequest, context: Context) -> task_pb2.GetTaskResponse:
        """See task.proto."""
        task = await self._tasks.get(require_user(), request.id, show_deleted=request.show_deleted)
        return task_pb2.GetTaskResponse(task=task_to_proto(task))

    async def ListTasks(self, request: task_pb2.ListTasksRequest, context: Context) -> task_pb2.ListTasksResponse:
        """See task.proto."""
        owner = require_user()
        query = Query.from_proto(request, owner)
        page = await self._tasks.list(owner, query.which, query.order, query.after, query.limit)
        return query.answer(page, owner)

    async def UpdateTask(self, request: task_pb2.UpdateTaskRequest, context: Context) -> task_pb2.UpdateTaskResponse:
        """See task.proto."""
        paths = masks.paths_of(request.task, request.update_mask)
        change = masks.content_change(request.task, paths)
        task = await self._tasks.update(
            require_user(), request.task.id, lambda content: masks.apply(content, change), request.task.etag
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


class TaskEventsServicer(task_pb2_grpc.TaskEventsServiceServicer):
    """Answers the notification service."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def ConfirmEvents(
        self, request: task_pb2.ConfirmEventsRequest, context: Context
    ) -> task_pb2.ConfirmEventsResponse:
        """See task.proto."""
        if len(request.event_ids) > CONFIRM_MAX:
            raise InvalidInput(Violation("event_ids", f"must be at most {CONFIRM_MAX:,} ids"))
        ids = [id for text in request.event_ids if (id := EventId.parse(text)) is not None]
        await self._tasks.confirm(ids)
        return task_pb2.ConfirmEventsResponse()
