"""What the task service promises to whoever calls it over gRPC. Each function raises Broken when it is not so."""

import secrets
from collections.abc import Awaitable
from typing import Any

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import task_pb2, task_pb2_grpc

from scripts.verify.system import OTHER_USER, Broken, System


async def crud(system: System) -> None:
    """A task is created, changed, read, deleted, undeleted; an old etag deletes nothing."""
    stub, who = task_pb2_grpc.TaskServiceStub(system.grpc), system.who()
    created = (await stub.CreateTask(_new(), metadata=who)).task
    changed = await stub.UpdateTask(
        task_pb2.UpdateTaskRequest(
            task=task_pb2.Task(id=created.id, title="verified", etag=created.etag),
            update_mask=FieldMask(paths=["title"]),
        ),
        metadata=who,
    )
    read = await stub.GetTask(task_pb2.GetTaskRequest(id=created.id), metadata=who)
    if read.task != changed.task or read.task.revision != 2:
        msg = f"what was changed is read as {read.task.title!r}, revision {read.task.revision}"
        raise Broken(msg)
    await stub.DeleteTask(task_pb2.DeleteTaskRequest(id=created.id), metadata=who)
    await _refused(stub.GetTask(task_pb2.GetTaskRequest(id=created.id), metadata=who), grpc.StatusCode.NOT_FOUND)
    await stub.UndeleteTask(task_pb2.UndeleteTaskRequest(id=created.id), metadata=who)
    stale = task_pb2.DeleteTaskRequest(id=created.id, etag=created.etag)
    await _refused(stub.DeleteTask(stale, metadata=who), grpc.StatusCode.ABORTED)
    await stub.DeleteTask(task_pb2.DeleteTaskRequest(id=created.id), metadata=who)


async def idempotent(system: System) -> None:
    """One request_id makes one task, and is refused with other content."""
    stub, who, request = task_pb2_grpc.TaskServiceStub(system.grpc), system.who(), _new()
    first, again = [(await stub.CreateTask(request, metadata=who)).task.id for _ in range(2)]
    await stub.DeleteTask(task_pb2.DeleteTaskRequest(id=first), metadata=who)
    if first != again:
        msg = f"two tasks were made: {first} and {again}"
        raise Broken(msg)
    request.task.title = "something else"
    await _refused(stub.CreateTask(request, metadata=who), grpc.StatusCode.INVALID_ARGUMENT)


async def rules(system: System) -> None:
    """A blank title is refused."""
    request = task_pb2.CreateTaskRequest(task=task_pb2.Task(title="  "))
    call = task_pb2_grpc.TaskServiceStub(system.grpc).CreateTask(request, metadata=system.who())
    await _refused(call, grpc.StatusCode.INVALID_ARGUMENT)


async def owners(system: System) -> None:
    """A task of one user is not found by another."""
    stub = task_pb2_grpc.TaskServiceStub(system.grpc)
    task = (await stub.CreateTask(_new(), metadata=system.who())).task
    asked = task_pb2.GetTaskRequest(id=task.id)
    await _refused(stub.GetTask(asked, metadata=system.who(OTHER_USER)), grpc.StatusCode.NOT_FOUND)
    await stub.DeleteTask(task_pb2.DeleteTaskRequest(id=task.id), metadata=system.who())


def _new() -> task_pb2.CreateTaskRequest:
    return task_pb2.CreateTaskRequest(task=task_pb2.Task(title="verify"), request_id=f"verify-{secrets.token_hex(8)}")


async def _refused(call: Awaitable[Any], code: grpc.StatusCode) -> None:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        if error.code() is code:
            return
        msg = f"a call that is to be {code.name} ends with {error.code().name}: {error.details()}"
        raise Broken(msg) from error
    msg = f"a call that is to be {code.name} succeeds"
    raise Broken(msg)
