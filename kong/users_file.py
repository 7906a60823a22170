"""The users' file: what it says, and how one entry of it is rewritten while all else, comments too, stays as it is.

An entry begins with `- username:` at the start of a line and ends before the next line that is neither blank nor
indented. Comments belong at the start of a line, between entries: inside one they are lost when it is rewritten. So
little is needed that a library that keeps YAML's comments would be more than it is worth.
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
# Who may call, beside the demo users of kong/demo-users.yml. `make kong-user` edits this file, `make kong-apply` brings
# it into Kong. It holds passwords and keys as they are: keep it secret, and keep a copy of it.
"""


class BadFile(Exception):
    """The file is not a list of users of the form that is written here; the message says where."""


@dataclass(frozen=True)
class Key:
    """An API key."""

    id: str
    """By which it is revoked; it stays the same at each import, or the second import would fail."""
    key: str
    """What a client sends."""


@dataclass(frozen=True)
class User:
    """One who may call."""

    name: str
    """1 to 64 of A-Za-z0-9._-, as the services take them."""
    id: str
    """Kong's id, a UUID. Sessions name it."""
    password: str | None = None
    """None for who has only keys."""
    keys: tuple[Key, ...] = ()
    """Any of them will do."""


def is_username(name: str) -> bool:
    """Whether the services take it as a user's name."""
    return _USERNAME.fullmatch(name) is not None


class UsersFile:
    """A users' file that is read and can be changed; each change is written at once, whole or not at all."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self.users: Mapping[str, User] = _parse(path, text)
        """The users by name."""

    @classmethod
    def read(cls, path: Path) -> "UsersFile":
        """The file at a path; one that is not there, or empty, has no users. Raises BadFile and OSError."""
        return cls(path, (path.read_text() if path.exists() else "") or _HEADER)

    def put(self, user: User) -> None:
        """Adds a user, or writes the entry anew."""
        entry, found = _entry(user), self._place(user.name)
        if found is None:
            self._save(f"{self._text.rstrip()}\n{entry}")
        else:
            self._save(self._text[: found.start()] + entry + self._text[found.end() :])

    def remove(self, name: str) -> None:
        """Takes a user's entry out."""
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
        # Compose mounts it as it is, and Kong's user is another; nobody else gets into the folder.
        os.chmod(new, 0o444 if self._path.parent.stat().st_mode & 0o077 == 0 else 0o400)
        os.replace(new, self._path)
        self._text, self.users = text, users


def _entry(user: User) -> str:
    name = json.dumps(user.name)  # quoted, for 123 would be a number to Kong
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
        entries = yaml.load(text, yaml.BaseLoader) or []  # noqa: S506 (strings alone: `1` or `on` may be a name)
        users = [_user(entry) for entry in entries]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        msg = f"{path} is not a list of users as kong/README.md shows it"
        raise BadFile(msg) from error
    if len({user.name for user in users}) != len(users) or len(_BEGIN.findall(text)) != len(users):
        msg = f"{path}: each user begins with `- username:` at the start of a line, and is there once"
        raise BadFile(msg)
    return {user.name: user for user in users}


def _user(entry: Mapping[str, Any]) -> User:
    (password,) = [each["password"] for each in entry.get("basicauth_credentials", ())] or [None]
    keys = tuple(Key(each["id"], each["key"]) for each in entry.get("keyauth_credentials", ()))
    return User(entry["username"], entry["id"], password, keys)
