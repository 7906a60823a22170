"""Reads and edits the users' file. An edit rewrites one entry and keeps the rest of the file, including comments.

An entry begins with `- username:` at the start of a line and ends before the next line that is neither blank nor
indented. Put comments at the start of a line, between entries: comments inside an entry are lost when it is rewritten.
The format is too simple to need a library that preserves YAML comments.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_USERNAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_BEGIN = re.compile(r"^- username: ", re.MULTILINE)
_HEADER = """\
# The gateway's users, in addition to the demo users of kong/demo-users.yml. `make kong-user` edits this file,
# `make kong-apply` imports it into Kong. It holds passwords and keys in plain text: keep it secret, and back it up.
"""


class BadFile(Exception):
    """The file is not a valid list of users; the message has its path."""


@dataclass(frozen=True)
class Key:
    """An API key."""

    id: str
    """Used to revoke the key. It must stay the same at each import, or the second import fails."""
    key: str
    """The value that the client sends."""


@dataclass(frozen=True)
class User:
    """A user of the gateway."""

    name: str
    """1 to 64 of A-Za-z0-9._-, the user names that the services accept."""
    id: str
    """The UUID of the consumer in Kong. Sessions refer to it."""
    password: str | None = None
    """None for a user with only API keys."""
    keys: tuple[Key, ...] = ()
    """All keys are valid at the same time."""


def is_username(name: str) -> bool:
    """Return whether the services accept the name as a user name."""
    return _USERNAME.fullmatch(name) is not None


class UsersFile:
    """The parsed users' file. Each change is written immediately and atomically."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self.users: Mapping[str, User] = _parse(path, text)
        """The users by name."""

    @classmethod
    def read(cls, path: Path) -> "UsersFile":
        """Read the file at a path. A missing or empty file has no users. Raise BadFile or OSError."""
        return cls(path, (path.read_text() if path.exists() else "") or _HEADER)

    def put(self, user: User) -> None:
        """Add a user, or replace the existing entry. Raise OSError."""
        entry, found = _entry(user), self._place(user.name)
        if found is None:
            self._save(f"{self._text.rstrip()}\n{entry}")
        else:
            self._save(self._text[: found.start()] + entry + self._text[found.end() :])

    def remove(self, name: str) -> None:
        """Remove a user's entry, if there is one. Raise OSError."""
        found = self._place(name)
        if found is not None:
            self._save(self._text[: found.start()] + self._text[found.end() :])

    def _place(self, name: str) -> re.Match[str] | None:
        return re.search(rf"^- username: \"?{re.escape(name)}\"?\n(?:[ ]+\S.*\n|\n(?=[ ]))*", self._text, re.MULTILINE)

    def _save(self, text: str) -> None:
        users = _parse(self._path, text)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, new = tempfile.mkstemp(dir=self._path.parent, prefix=".new.")
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        # Compose mounts the file with its owner and mode, and Kong runs as another user. So the file is world-readable
        # if the folder is not.
        os.chmod(new, 0o444 if self._path.parent.stat().st_mode & 0o077 == 0 else 0o400)
        os.replace(new, self._path)
        self._text, self.users = text, users


def _entry(user: User) -> str:
    name = json.dumps(user.name)  # quoted: Kong would read 123 as a number
    lines = [f"- username: {name}", f"  id: {user.id}"]
    if user.password is not None:
        password = json.dumps(user.password)
        lines += ["  basicauth_credentials:", f"    - {{ username: {name}, password: {password} }}"]
    if user.keys:
        lines.append("  keyauth_credentials:")
        lines += [f"    - {{ id: {key.id}, key: {json.dumps(key.key)} }}" for key in user.keys]
    return "\n".join(lines) + "\n"


def _parse(path: Path, text: str) -> dict[str, User]:
    try:
        entries = yaml.load(text, yaml.BaseLoader) or []  # noqa: S506 (reads only strings: `1` or `on` may be a name)
        users = [_user(entry) for entry in entries]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        msg = f"{path} is not a valid list of users; kong/demo-users.yml shows the format"
        raise BadFile(msg) from error
    if len({user.name for user in users}) != len(users) or len(_BEGIN.findall(text)) != len(users):
        msg = f"{path}: each user must begin with `- username:` at the start of a line, and user names must be unique"
        raise BadFile(msg)
    return {user.name: user for user in users}


def _user(entry: Mapping[str, Any]) -> User:
    (password,) = [each["password"] for each in entry.get("basicauth_credentials", ())] or [None]
    keys = tuple(Key(each["id"], each["key"]) for each in entry.get("keyauth_credentials", ()))
    return User(entry["username"], entry["id"], password, keys)
