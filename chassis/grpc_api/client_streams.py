"""Read response streams of other services, record their metrics, and cancel a stream that is no longer read."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, TypeVar

import grpc
from py_grpc_prometheus import grpc_utils

from chassis.errors import Unavailable
from chassis.grpc_api.client import ClientInterceptor
from chassis.grpc_api.error_mapping import code_name

_SILENCE_SECONDS = 40.0  # more than two heartbeats

M = TypeVar("M")


async def read(
    calls: ClientInterceptor, path: str, method: Callable[..., "grpc.aio.UnaryStreamCall[Any, M]"], request: object
) -> AsyncGenerator[M, None]:
    """Yield the messages of one server stream; `path` is the method's full name (`task.v1.TaskService/WatchTasks`).

    Waits until the service is available, and ends when the stream ends. Raises Unavailable if the stream ends with an
    error or has no message for 40 seconds. Close it (`aclosing`) when you stop reading: that cancels the call.
    """
    labels = (grpc_utils.SERVER_STREAMING, *path.split("/", 1))
    calls.metrics.started.labels(*labels).inc()
    received = calls.metrics.received.labels(*labels)
    begun = time.perf_counter()
    call = method(request, metadata=calls.metadata(), wait_for_ready=True)
    code = "CANCELLED"
    try:
        while True:
            async with asyncio.timeout(_SILENCE_SECONDS):
                message: Any = await call.read()
            if message is grpc.aio.EOF:
                break
            received.inc()
            yield message
        code = code_name(await call.code())
    except grpc.aio.AioRpcError as error:
        code = error.code().name
        raise Unavailable("STREAM_BROKEN", f"{path}: {code}") from None
    except TimeoutError:
        code = "DEADLINE_EXCEEDED"
        raise Unavailable("STREAM_SILENT", f"{path}: no message for {_SILENCE_SECONDS:.0f} s") from None
    finally:
        call.cancel()  # an abandoned call would stay open forever
        calls.metrics.handled.labels(*labels, code).inc()
        calls.metrics.seconds.labels(*labels).observe(time.perf_counter() - begun)
