"""Where the data is: the queue's server, and the tasks' file or server."""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ServerSelectionTimeoutError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.exceptions import ConnectionError as Unreachable

from scripts.doctor.findings import SECONDS, Answer, Away, timed

_SAFE = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


async def queue(url: str, password: str | None) -> Answer:
    """Whether Valkey or Redis answers, which it is, and whether what it confirms survives its end."""
    client = Redis.from_url(url, password=password, decode_responses=True, retry=Retry(NoBackoff(), 0))
    async with client:
        try:
            _, seconds = await timed(client.ping)
        except AuthenticationError as error:
            return Answer(
                str(error), "name the user in REDIS_URL and the file with its password in REDIS_PASSWORD_FILE"
            )
        except Unreachable as error:
            raise Away("nobody answers" if isinstance(error.__context__, OSError) else str(error)) from error
        info: Mapping[str, Any] = await _unless_denied(client.info("server"))
        found: Mapping[str, str] = await _unless_denied(client.config_get(*_SAFE))
    version = _version(info)
    if not found:
        return Answer("answers; its settings are not for this user to see", version=version, seconds=seconds)
    says = ", ".join(f"{name} {value}" for name, value in found.items())
    if unsafe := {name: value for name, value in _SAFE.items() if found.get(name) != value}:
        wanted = ", ".join(f"{name} {value}" for name, value in unsafe.items())
        return Answer(says, f"what it confirmed may be lost: set {wanted}", version, seconds)
    return Answer(says, version=version, seconds=seconds)


async def mongodb(url: str, password: str | None) -> Answer:
    """Whether MongoDB answers, and is a replica set, without which a confirmed write may be lost."""
    milliseconds = int(SECONDS * 500)  # well within ours, since it says more
    async with AsyncMongoClient[dict[str, Any]](
        url, serverSelectionTimeoutMS=milliseconds, password=password
    ) as client:
        try:
            hello, seconds = await timed(lambda: client.admin.command("hello"))
            version = str((await client.server_info())["version"])
        except ServerSelectionTimeoutError as error:
            raise Away("nobody answers, or none that is primary") from error
    if not hello.get("setName"):
        return Answer(
            "a server alone", "start mongod with --replSet, as compose/mongo does", f"MongoDB {version}", seconds
        )
    return Answer(f"replica set {hello['setName']}", version=f"MongoDB {version}", seconds=seconds)


async def sqlite(path: Path) -> Answer:
    """Whether the tasks' file is there."""
    try:
        size = (await asyncio.to_thread(path.stat)).st_size
    except FileNotFoundError as error:
        msg = f"{path} is made by the first start"
        raise Away(msg) from error
    return Answer(f"{size / 1024:.0f} KiB", version=f"SQLite {sqlite3.sqlite_version}")


async def _unless_denied(answer: Any) -> Any:
    try:
        return await answer
    except NoPermissionError:
        return {}


def _version(info: Mapping[str, Any]) -> str:
    name = str(info.get("server_name", "redis")).capitalize()
    version = info.get(f"{name.lower()}_version") or info.get("redis_version")
    return f"{name} {version}" if version else ""
