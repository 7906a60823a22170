"""Creates and changes many tasks of a user over gRPC, in its own thread, as a user's script does."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from task.v1 import task_pb2, task_pb2_grpc

from tests.browser.harness.system import Site, User
from tests.support.edge_api.edge import TOKEN

STATUSES = (task_pb2.TASK_STATUS_TODO, task_pb2.TASK_STATUS_IN_PROGRESS, task_pb2.TASK_STATUS_DONE)
_AT_ONCE = 64


class Script:
    """The calls of one user. Each method returns immediately; the future has the IDs of the tasks, in order."""

    def __init__(self, target: str, user: User, thread: ThreadPoolExecutor) -> None:
        self._target = target
        self._metadata = (("x-consumer-username", user.name), ("x-mesh-token", TOKEN))
        self._thread = thread

    def create(
        self, titles: Iterable[str], statuses: Sequence[task_pb2.TaskStatus.ValueType] = STATUSES
    ) -> Future[list[str]]:
        """Create tasks with these titles, and with the statuses in turn."""
        tasks = [task_pb2.Task(title=title, status=statuses[i % len(statuses)]) for i, title in enumerate(titles)]
        return self._thread.submit(asyncio.run, self._send(tasks, None))

    def update(self, tasks: Sequence[task_pb2.Task], *, per_second: float | None = None) -> Future[list[str]]:
        """Update the fields that are set in the tasks, at most `per_second` of them."""
        return self._thread.submit(asyncio.run, self._send(tasks, per_second))

    async def _send(self, tasks: Sequence[task_pb2.Task], per_second: float | None) -> list[str]:
        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE)
        begun = loop.time()
        async with grpc.aio.insecure_channel(self._target) as channel:
            stub = task_pb2_grpc.TaskServiceStub(channel)

            async def send(number: int, task: task_pb2.Task) -> str:
                if per_second is not None:
                    await asyncio.sleep(begun + number / per_second - loop.time())
                async with room:
                    if not task.id:
                        request = task_pb2.CreateTaskRequest(task=task)
                        return (await stub.CreateTask(request, timeout=20, metadata=self._metadata)).task.id
                    mask = FieldMask(paths=[field.name for field, _ in task.ListFields() if field.name != "id"])
                    change = task_pb2.UpdateTaskRequest(task=task, update_mask=mask)
                    return (await stub.UpdateTask(change, timeout=20, metadata=self._metadata)).task.id

            return await asyncio.gather(*(send(number, task) for number, task in enumerate(tasks)))


@contextmanager
def script(site: Site, user: User) -> Iterator[Script]:
    """Yield a script of this user; at the end of the block, wait for its calls."""
    with ThreadPoolExecutor(1) as thread:
        yield Script(site.mesh.task_target, user, thread)
