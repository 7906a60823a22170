"""Where things are in Redis: its keys, its scripts, and the clients to reach it."""

from pathlib import Path

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

EVENTS = "task-events"
GROUP = "notifiers"
NOTIFICATIONS = "notifications"
DEAD_LETTERS = "dead-letters"
CHANNELS = "channels"


def event_key(event_id: str) -> str:
    """The hash with all that is known of an event."""
    return f"event:{event_id}"


def inbox_key(owner: str) -> str:
    """The sorted set of a user's notifications, by create time."""
    return f"inbox:{owner}"


def unread_key(owner: str) -> str:
    """The sorted set of those that the user has not read."""
    return f"unread:{owner}"


def owed_key(channel: str) -> str:
    """The sorted set of what a channel has still to deliver, by when it is due."""
    return f"owed:{channel}"


def dead_letter_key(key: str) -> str:
    """The hash with one dead letter."""
    return f"dead-letter:{key}"


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
    """The Lua scripts of `notify_svc/lua`: each is one atomic step, and says at its top what it takes and returns."""

    def __init__(self, client: Redis) -> None:
        self.record = client.register_script(_source("record"))
        self.take = client.register_script(_source("take"))
        self.owed_by_removed = client.register_script(_source("owed_by_removed"))
        self.settle = client.register_script(_source("settle"))
        self.page = client.register_script(_source("page"))
        self.mark_read = client.register_script(_source("mark_read"))
        self.bury = client.register_script(_source("bury"))
        self.letters = client.register_script(_source("letters"))
        self.replay = client.register_script(_source("replay"))
        self.discard = client.register_script(_source("discard"))
        self.drop_consumers = client.register_script(_source("drop_consumers"))


def _source(name: str) -> str:
    return (Path(__file__).parent / "lua" / f"{name}.lua").read_text(encoding="utf-8")
