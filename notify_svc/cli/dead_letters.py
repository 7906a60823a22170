"""The operator's command for dead letters: `make dead-letters`, or `python -m notify_svc.cli.dead_letters`.

It calls a running notification service over gRPC, as a member of the mesh; `text` formats the answers. It exits with
status 1 when the call fails, with 2 for wrong arguments.
"""

from __future__ import annotations  # grpc's typed stubs are there for the type checker only

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import TypeAlias

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from notify.v1 import dead_letters_pb2, dead_letters_pb2_grpc
from prometheus_client import CollectorRegistry
from pydantic import Field

from chassis.grpc_api import client
from chassis.grpc_api.client import ClientMetrics
from chassis.identity import MeshTokens
from chassis.settings import ServiceSettings, load
from chassis.tracing import Tracing
from notify_svc.cli import text as text
from notify_svc.cli.arguments import Asked, parsed
from notify_svc.domain import PAGE_SIZE_MAX

RETRIED = {"notify.v1.DeadLetterService": ("ListDeadLetters",)}
_PAGE_SECONDS = 10.0
_ALL_SECONDS = 60.0

Stub: TypeAlias = "dead_letters_pb2_grpc.DeadLetterServiceAsyncStub"


class CommandSettings(ServiceSettings):
    """What the command needs to know."""

    notify_target: str = Field("127.0.0.1:50052", min_length=1, validation_alias="NOTIFY_GRPC_TARGET")
    """The notification service as HOST:PORT, or its replicas as ipv4:HOST:PORT,HOST:PORT."""


def main() -> int:
    """Runs the command; returns its exit status."""
    asked, settings = parsed(sys.argv[1:]), load(CommandSettings)
    try:
        _write(asyncio.run(_answer(asked, settings)))
    except grpc.aio.AioRpcError as error:
        sys.stderr.write(text.refused(error, settings.notify_target))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _answer(asked: Asked, settings: CommandSettings) -> str:
    async with _service(settings) as stub:
        if asked.verb == "replay":
            return await _replay(stub, asked)
        if asked.verb == "discard":
            return await _discard(stub, asked)
        return await _list(stub, asked)


@asynccontextmanager
async def _service(settings: CommandSettings) -> AsyncIterator[Stub]:
    tokens = MeshTokens.read(settings.mesh_token_file)
    with closing(Tracing("dead-letters", settings.otlp_endpoint)) as tracing:
        calls = client.ClientInterceptor(ClientMetrics(CollectorRegistry()), tracing.tracer, tokens, _ALL_SECONDS)
        config = client.service_config(RETRIED)
        async with client.open_channel(settings.notify_target, config, calls) as channel:
            yield dead_letters_pb2_grpc.DeadLetterServiceStub(channel)


async def _list(stub: Stub, asked: Asked) -> str:
    everything = dead_letters_pb2.ListDeadLettersResponse()
    request = dead_letters_pb2.ListDeadLettersRequest(page_size=PAGE_SIZE_MAX)
    while True:
        page = await stub.ListDeadLetters(request, timeout=_PAGE_SECONDS)
        for letter in page.dead_letters:
            if not asked.json:
                letter.ClearField("event")  # the table does not show it, and together they may be large
            everything.dead_letters.append(letter)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    everything.total_count = len(everything.dead_letters)
    return _json(everything) if asked.json else text.listed(everything.dead_letters, time.time())


async def _replay(stub: Stub, asked: Asked) -> str:
    request = dead_letters_pb2.ReplayDeadLettersRequest(keys=asked.keys, all=asked.all)
    answer = await stub.ReplayDeadLetters(request, timeout=_ALL_SECONDS)
    return _json(answer) if asked.json else text.replayed(answer, asked.keys)


async def _discard(stub: Stub, asked: Asked) -> str:
    request = dead_letters_pb2.DiscardDeadLettersRequest(keys=asked.keys, all=asked.all)
    answer = await stub.DiscardDeadLetters(request, timeout=_ALL_SECONDS)
    return _json(answer) if asked.json else text.discarded(answer, asked.keys)


def _json(answer: Message) -> str:
    fields = MessageToDict(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    fields.pop("next_page_token", None)
    return f"{json.dumps(fields)}\n"


def _write(answer: str) -> None:
    try:
        sys.stdout.write(answer)
        sys.stdout.flush()
    except BrokenPipeError:  # as before `| head`; what is left must not be tried again at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
