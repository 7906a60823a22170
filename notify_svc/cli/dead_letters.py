"""The operator's command for dead letters: `make dead-letters`, or `python -m notify_svc.cli.dead_letters`.

It calls a running notification service over gRPC with the mesh token; `text` formats the responses. The exit status is
1 if the call fails, and 2 for invalid arguments.
"""

from __future__ import annotations  # grpc's typed stubs exist only for the type checker

import asyncio
import json
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
from chassis.log import discard_stdout
from chassis.settings import ServiceSettings, load
from chassis.tracing import Tracing
from notify_svc.cli import text as text
from notify_svc.cli.arguments import Arguments, parsed
from notify_svc.domain import PAGE_SIZE_MAX

RETRIED = {"notify.v1.DeadLetterService": ("ListDeadLetters",)}
_PAGE_SECONDS = 10.0
_ALL_SECONDS = 60.0

Stub: TypeAlias = "dead_letters_pb2_grpc.DeadLetterServiceAsyncStub"


class CommandSettings(ServiceSettings):
    """The settings of the command."""

    notify_target: str = Field("127.0.0.1:50052", min_length=1, validation_alias="NOTIFY_GRPC_TARGET")
    """Address of the notification service: HOST:PORT, or ipv4:HOST:PORT,HOST:PORT for its replicas."""


def main() -> int:
    """Run the command; return its exit status."""
    arguments, settings = parsed(sys.argv[1:]), load(CommandSettings)
    try:
        _write(asyncio.run(_output(arguments, settings)))
    except grpc.aio.AioRpcError as error:
        sys.stderr.write(text.error_message(error, settings.notify_target))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _output(arguments: Arguments, settings: CommandSettings) -> str:
    async with _service(settings) as stub:
        if arguments.verb == "replay":
            return await _replay(stub, arguments)
        if arguments.verb == "discard":
            return await _discard(stub, arguments)
        return await _list(stub, arguments)


@asynccontextmanager
async def _service(settings: CommandSettings) -> AsyncIterator[Stub]:
    tokens = MeshTokens.read(settings.mesh_token_file)
    with closing(Tracing("dead-letters", settings.otlp_endpoint)) as tracing:
        calls = client.ClientInterceptor(ClientMetrics(CollectorRegistry()), tracing.tracer, tokens, _ALL_SECONDS)
        config = client.service_config(RETRIED)
        async with client.open_channel(settings.notify_target, config, calls) as channel:
            yield dead_letters_pb2_grpc.DeadLetterServiceStub(channel)


async def _list(stub: Stub, arguments: Arguments) -> str:
    everything = dead_letters_pb2.ListDeadLettersResponse()
    request = dead_letters_pb2.ListDeadLettersRequest(page_size=PAGE_SIZE_MAX)
    while True:
        page = await stub.ListDeadLetters(request, timeout=_PAGE_SECONDS)
        for letter in page.dead_letters:
            if not arguments.json:
                letter.ClearField("event")  # the table does not show events, and all of them may need much memory
            everything.dead_letters.append(letter)
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    everything.total_count = len(everything.dead_letters)
    return _json(everything) if arguments.json else text.listed(everything.dead_letters, time.time())


async def _replay(stub: Stub, arguments: Arguments) -> str:
    request = dead_letters_pb2.ReplayDeadLettersRequest(keys=arguments.keys, all=arguments.all)
    response = await stub.ReplayDeadLetters(request, timeout=_ALL_SECONDS)
    return _json(response) if arguments.json else text.replayed(response, arguments.keys)


async def _discard(stub: Stub, arguments: Arguments) -> str:
    request = dead_letters_pb2.DiscardDeadLettersRequest(keys=arguments.keys, all=arguments.all)
    response = await stub.DiscardDeadLetters(request, timeout=_ALL_SECONDS)
    return _json(response) if arguments.json else text.discarded(response, arguments.keys)


def _json(response: Message) -> str:
    fields = MessageToDict(response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    fields.pop("next_page_token", None)
    return f"{json.dumps(fields)}\n"


def _write(output: str) -> None:
    try:
        sys.stdout.write(output)
        sys.stdout.flush()
    except BrokenPipeError:  # as with `| head`
        discard_stdout()


if __name__ == "__main__":
    sys.exit(main())
