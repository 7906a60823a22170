"""A client of `redis_model` with the methods of redis-py, over a configurable transport (`Send`)."""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.commands import AsyncCoreCommands

from tests.simulation.redis_model import RedisModel, shaped

Command = tuple[Any, ...]
Send = Callable[[list[Command]], Awaitable[list[Any]]]
"""Executes the commands in order, and returns the `reply` of each."""


def reply(model: RedisModel, command: Command) -> Any:
    """Return the reply to one command in redis-py's format. Raises ResponseError."""
    return shaped(command[0], model.do(*command), is_summary=len(command) == 3)


class SimulatedRedis(AsyncCoreCommands):
    """The part of `redis.asyncio.Redis` that the services use."""

    _event_dispatcher: Any = None

    def __init__(self, send: Send) -> None:
        self._send = send

    async def execute_command(self, *command: Any, **_options: Any) -> Any:
        (reply,) = await self._send([command])
        return reply

    def get_encoder(self) -> Any:
        return self

    def encode(self, text: str) -> bytes:
        return text.encode()

    def pipeline(self, transaction: bool = True) -> "SimulatedPipeline":
        return SimulatedPipeline(self._send)


class SimulatedPipeline(AsyncCoreCommands):
    """A pipeline: commands that are sent together."""

    _event_dispatcher: Any = None

    def __init__(self, send: Send) -> None:
        self._send = send
        self._commands: list[Command] = []

    async def __aenter__(self) -> "SimulatedPipeline":
        return self

    async def __aexit__(self, *_error: object) -> None:
        pass

    def execute_command(self, *command: Any, **_options: Any) -> "SimulatedPipeline":
        self._commands.append(command)
        return self

    async def execute(self) -> list[Any]:
        commands, self._commands = self._commands, []
        return await self._send(commands)
