"""Connects to Redis and loads the Lua scripts."""

from pathlib import Path

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(url: str, password: str | None = None, *, timeout_seconds: float, retries: int) -> Redis:
    """Return a client whose waits end after `timeout_seconds`; close it with `aclose`.

    `password` is used if the URL has none. If a connection breaks, a command is sent again up to `retries` times, so
    commands must be idempotent.
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
    """The Lua scripts in `lua/`. Each runs atomically; its first comment describes its arguments and result."""

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
