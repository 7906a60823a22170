"""The least that a request over one gRPC hop costs: an HTTP server and a gRPC server that returns a constant task.

It has no store, no authentication, no logs and no metrics.
`python -m benchmarks.peers.bare_hop service PORT`, and `… edge PORT SERVICE_PORT`.
"""

import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import grpc
import uvicorn
import uvloop
from fastapi import FastAPI
from task.v1 import task_pb2, task_pb2_grpc

from benchmarks.peers.monolith_minimal import Task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from task.v1.task_pb2_grpc import TaskServiceAsyncStub


class _Service(task_pb2_grpc.TaskServiceServicer):
    def __init__(self) -> None:
        self._task = task_pb2.Task(id="0" * 26, title="Buy milk", owner="ann", revision=1)
        self._task.status, self._task.priority = task_pb2.TASK_STATUS_TODO, task_pb2.TASK_PRIORITY_MEDIUM
        self._task.create_time.GetCurrentTime()
        self._task.update_time.GetCurrentTime()

    async def GetTask(self, _request: task_pb2.GetTaskRequest, _context: Any) -> task_pb2.GetTaskResponse:
        return task_pb2.GetTaskResponse(task=self._task)


async def _serve(port: int) -> None:
    server = grpc.aio.server()
    task_pb2_grpc.add_TaskServiceServicer_to_server(_Service(), server)  # type: ignore[abstract]  # it has one method
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def _edge(service_port: int) -> FastAPI:
    stub: TaskServiceAsyncStub

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> "AsyncIterator[None]":
        nonlocal stub
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service_port}") as channel:
            stub = task_pb2_grpc.TaskServiceStub(channel)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/api/v1/tasks/{id}")
    async def get_task(id: str) -> Task:
        response = await stub.GetTask(task_pb2.GetTaskRequest(id=id), timeout=5)
        return _to_model(response.task)

    return app


def _to_model(task: task_pb2.Task) -> Task:
    return Task(
        id=task.id,
        title=task.title,
        description=task.description,
        status=task_pb2.TaskStatus.Name(task.status).removeprefix("TASK_STATUS_"),
        priority=task_pb2.TaskPriority.Name(task.priority).removeprefix("TASK_PRIORITY_"),
        labels=list(task.labels),
        due_time=task.due_time.ToDatetime() if task.HasField("due_time") else None,
        create_time=task.create_time.ToDatetime(),
        update_time=task.update_time.ToDatetime(),
        revision=task.revision,
    )


if __name__ == "__main__":
    role, port, *rest = sys.argv[1:]
    if role == "service":
        uvloop.run(_serve(int(port)))
    else:
        app = _edge(int(rest[0]))
        uvicorn.run(app, port=int(port), loop="uvloop", http="httptools", log_level="warning", access_log=False)
