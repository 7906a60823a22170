"""The rules about Redis's users: each may do what its service and that one's scripts call, and no more.

Calls are found by their names, in Python as far as they belong to streams, sorted sets and hashes. What a real server
refuses is seen by tests/e2e/test_compose_rehearsal.py.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from redis.asyncio import Redis

from scripts.containers.project import Project

USERS = Path("compose/redis/users.acl")
_SOURCES = {"task_svc": ("task_svc", "chassis"), "notify_svc": ("notify_svc", "chassis")}
_BY_THE_CLIENT = {"hello", "client|setinfo", "multi", "exec", "evalsha", "script|load"}
"""What redis-py sends by itself, for connections, transactions and scripts."""

_LUA_CALL = re.compile(r"redis\.p?call\(\s*'([A-Z]+)'(?:,\s*'([A-Z]+)')?")
_PYTHON_CALL = re.compile(r"\.([a-z]+(?:_[a-z]+)?)\(")
_OF_REDIS_ALONE = re.compile(r"[xzh][a-z_]+")
_HAVE_PARTS = ("xgroup", "xinfo")


def services_may_do_what_they_call(project: Project) -> Iterator[str]:
    """A right that is missing would be missed in production alone; a script runs with its caller's."""
    given = rights(project.root / USERS)
    for user, folders in _SOURCES.items():
        for path, command in _needed(project.root, folders):
            if command not in given.get(user, set()):
                yield f"{USERS}: {user} may not {command}, which {path.name} calls"


def no_right_is_idle(project: Project) -> Iterator[str]:
    """A right that nobody uses is of use to an intruder only."""
    given = rights(project.root / USERS)
    for user, folders in _SOURCES.items():
        called = {command for path in _files(project.root, folders) for command in _called(path)}
        for command in sorted(given.get(user, set()) - called - _BY_THE_CLIENT):
            yield f"{USERS}: {user} may {command}, which nothing calls"


def rights(path: Path) -> dict[str, set[str]]:
    """The commands of each user: in lower case, as `name` or `name|part`."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    users = [user.split() for user in re.split(r"^user ", text, flags=re.MULTILINE)[1:]]
    return {words[0]: {word[1:] for word in words if word.startswith("+")} for words in users}


def _needed(root: Path, folders: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for path in _files(root, folders):
        for command in sorted(_called(path)):
            is_redis = _OF_REDIS_ALONE.match(command) and hasattr(Redis, command.replace("|", "_"))
            if is_redis or path.suffix == ".lua":
                yield path, command


def _files(root: Path, folders: tuple[str, ...]) -> list[Path]:
    return sorted(path for folder in folders for path in (root / folder).rglob("*") if path.suffix in (".py", ".lua"))


def _called(path: Path) -> set[str]:
    text = path.read_text()
    if path.suffix == ".lua":
        return {_command(f"{command}_{part}".lower()) for command, part in _LUA_CALL.findall(text)}
    return {_command(name) for name in _PYTHON_CALL.findall(text)}


def _command(name: str) -> str:
    """The command behind a method's name, as users.acl writes it."""
    command, _, part = name.partition("_")
    return f"{command}|{part}" if command in _HAVE_PARTS else command
