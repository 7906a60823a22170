"""Connects to Redis, and loads the Lua scripts."""

from pathlib import Path

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(url: str, password: str | None = None, *, timeout_seconds: float, retries: int) -> Redis:
    """A client whose every wait ends after `timeout_seconds`; close it with `aclose`.

    The password is for a URL that has none. A command that fails with its connection is sent again `retries` times, so
    what is sent must bear repetition.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        password=password,
        max_connections=32,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), retries),
    )
    return Redis.from_pool(pool)


class Scripts:
    """The Lua scripts of `lua/`: each runs atomically, and documents its arguments and result at its top."""

    def __init__(self, client: Redis) -> None:
        self.record = client.register_script(_source("record"))
        self.lease_due = client.register_script(_source("lease_due"))
        self.pending_of_removed = client.register_script(_source("pending_of_removed"))
        self.complete_delivery = client.register_script(_source("complete_delivery"))
        self.list_inbox = client.register_script(_source("list_inbox"))
        self.mark_read = client.register_script(_source("mark_read"))
        self.add_dead_letter = client.register_script(_source("add_dead_letter"))
        self.list_dead_letters = client.register_script(_source("list_dead_letters"))
        self.replay_dead_letters = client.register_script(_source("replay_dead_letters"))
        self.discard_dead_letters = client.register_script(_source("discard_dead_letters"))
        self.drop_consumers = client.register_script(_source("drop_consumers"))


def _source(name: str) -> str:
    return (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")
