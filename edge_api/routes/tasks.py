"""The endpoints of tasks: each converts the request, makes one call, and converts the response."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Body, Query, Response
from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from edge_api.routes.strict import JSON, MERGE_PATCH, strict_router
from edge_api.schemas import convert, etags, requests, responses
from edge_api.schemas.operation_docs import IdempotencyKey, IfMatch, IfNoneMatch, TaskId, headers, refusals
from edge_api.schemas.responses import Json

if TYPE_CHECKING:
    from task.v1.task_pb2_grpc import TaskServiceAsyncStub

PATH = "/api/v1/tasks"
_NoQuery = Annotated[requests.NoQuery, Query()]


class TaskEndpoints:
    """Each method is one operation of the API; `router` has the paths."""

    def __init__(self, tasks: "TaskServiceAsyncStub") -> None:
        self._tasks = tasks

    async def create_task(
        self, body: requests.NewTask, _: _NoQuery, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Create a task. When you get the response, the task is stored durably and its owner will be notified."""
        request = task_pb2.CreateTaskRequest(task=convert.task_of(body), request_id=_request_id(idempotency_key))
        created = (await self._tasks.CreateTask(request)).task
        return _answer(created, 201, {"Location": f"{PATH}/{created.id}"})

    async def list_tasks(self, query: Annotated[requests.ListTasksQuery, Query()]) -> Response:
        """List tasks in pages."""
        return Json(convert.task_page_answer(await self._tasks.ListTasks(convert.list_request_of(query))))

    async def get_task(
        self,
        id: TaskId,
        query: Annotated[requests.GetTaskQuery, Query()],
        if_none_match: IfNoneMatch = None,
    ) -> Response:
        """Return one task, or 304 if the client already has this revision."""
        request = task_pb2.GetTaskRequest(id=id, show_deleted=query.show_deleted)
        task = (await self._tasks.GetTask(request)).task
        revalidated = {"Cache-Control": "private, no-cache"}
        if etags.none_match(if_none_match, task.etag):
            return Response(None, 304, {**revalidated, **_etag(task)})
        return _answer(task, headers=revalidated)

    async def update_task(
        self,
        id: TaskId,
        body: Annotated[requests.TaskPatch, Body(media_type=MERGE_PATCH)],
        _: _NoQuery,
        if_match: IfMatch = None,
    ) -> Response:
        """Update the fields in the merge patch. Without If-Match, the update is unconditional."""
        task = convert.task_of(body)
        task.id, task.etag = id, etags.condition(if_match)
        request = task_pb2.UpdateTaskRequest(task=task, update_mask=FieldMask(paths=convert.mask_of(body)))
        return _answer((await self._tasks.UpdateTask(request)).task)

    async def delete_task(self, id: TaskId, _: _NoQuery, if_match: IfMatch = None) -> Response:
        """Delete a task. It can be undeleted for 30 days."""
        await self._tasks.DeleteTask(task_pb2.DeleteTaskRequest(id=id, etag=etags.condition(if_match)))
        return Response(status_code=204)

    async def undelete_task(self, id: TaskId, _: _NoQuery) -> Response:
        """Restore a deleted task."""
        return _answer((await self._tasks.UndeleteTask(task_pb2.UndeleteTaskRequest(id=id))).task)


def router(tasks: "TaskServiceAsyncStub") -> APIRouter:
    """Return the routes of tasks with their documentation."""
    endpoints = TaskEndpoints(tasks)
    routes = strict_router("tasks")
    one = f"{PATH}/{{id}}"
    etag: dict[str, Any] = {"headers": headers("ETag")}
    created = {
        "headers": headers("Location", "ETag"),
        "description": "The new task; for a repeated request, the existing task as it is now.",
    }
    unchanged: dict[int | str, dict[str, Any]] = {304: {"description": "The client already has this revision.", **etag}}
    merge_patch = {"requestBody": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/TaskPatch"}}}}}

    routes.add_api_route(
        PATH,
        endpoints.create_task,
        methods=["POST"],
        status_code=201,
        response_model=responses.Task,
        responses={201: created, **refusals(400, 408, 415)},
    )
    routes.add_api_route(
        PATH, endpoints.list_tasks, methods=["GET"], response_model=responses.TaskPage, responses=refusals(400)
    )
    routes.add_api_route(
        one,
        endpoints.get_task,
        methods=["GET"],
        response_model=responses.Task,
        responses={200: etag, **unchanged, **refusals(404)},
    )
    routes.add_api_route(
        one,
        endpoints.update_task,
        methods=["PATCH"],
        response_model=responses.Task,
        responses={200: etag, **refusals(400, 404, 408, 412, 415)},
        openapi_extra=merge_patch,
    )
    routes.add_api_route(one, endpoints.delete_task, methods=["DELETE"], status_code=204, responses=refusals(404, 412))
    routes.add_api_route(
        f"{one}:undelete",
        endpoints.undelete_task,
        methods=["POST"],
        response_model=responses.Task,
        responses={200: etag, **refusals(404, 409)},
    )
    return routes


def _answer(task: task_pb2.Task, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Json(convert.task_answer(task), status, {**(headers or {}), **_etag(task)})


def _etag(task: task_pb2.Task) -> dict[str, str]:
    return {"ETag": f'"{task.etag}"'}


def _request_id(idempotency_key: str | None) -> str:
    if idempotency_key == "":
        raise InvalidInput(Violation("Idempotency-Key", "must not be empty"))
    # Generated before the first attempt, so that the channel's retries cannot create a second task.
    return idempotency_key or uuid4().hex
