"""Who may call: the consumers of the configuration, their keys and their passwords."""

import hmac
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kong.standin.fields import Fields, Unknown

_IDS = uuid.UUID("5a4f0e2f-7d6b-4f0c-9d3e-0d6f2a6b7c11")


@dataclass(frozen=True)
class Consumer:
    """Somebody who calls."""

    id: str
    username: str
    custom_id: str | None = None


@dataclass(frozen=True)
class Credential:
    """By what a consumer was recognised."""

    name: str
    """Kong's X-Credential-Identifier: a password's username, or the id of a key."""
    consumer: Consumer


class Consumers:
    """All consumers, found by name, key or password."""

    def __init__(self, entries: Iterable[Any]) -> None:
        self._by_name: dict[str, Consumer] = {}
        self._keys: dict[str, Credential] = {}
        self._passwords: dict[str, tuple[str, Credential]] = {}
        for entry in entries:
            self._add(Fields(entry, f"consumer {entry.get('username', '?')}"))

    def _add(self, fields: Fields) -> None:
        username = fields.take("username", str, "")
        consumer = Consumer(
            id=fields.take("id", str, str(uuid.uuid5(_IDS, username))),
            username=username,
            custom_id=fields.take("custom_id", str, "") or None,
        )
        if not username or username in self._by_name:
            msg = f"{fields.where}: a username is needed, and only once"
            raise Unknown(msg)
        self._by_name[username] = consumer
        for entry in fields.entries("keyauth_credentials"):
            self._add_key(consumer, Fields(entry, f"{fields.where}: key"))
        for entry in fields.entries("basicauth_credentials"):
            self._add_password(consumer, Fields(entry, f"{fields.where}: password"))
        fields.ignore("tags", "plugins")  # the plugins are read with all others
        fields.done()

    def _add_key(self, consumer: Consumer, fields: Fields) -> None:
        key = fields.take("key", str, "")
        identifier = fields.take("id", str, "")
        fields.ignore("tags")
        fields.done()
        if not key or key in self._keys:
            msg = f"{fields.where}: it must be there, and be nobody else's"
            raise Unknown(msg)
        self._keys[key] = Credential(identifier, consumer)

    def _add_password(self, consumer: Consumer, fields: Fields) -> None:
        username, password = fields.take("username", str, ""), fields.take("password", str, "")
        fields.ignore("tags", "id")
        fields.done()
        if not username or username in self._passwords:
            msg = f"{fields.where}: a username is needed, and only once"
            raise Unknown(msg)
        self._passwords[username] = (password, Credential(username, consumer))

    def named(self, name: str) -> Consumer:
        """The consumer that another entry names, by username or id. Raises Unknown."""
        for consumer in self._by_name.values():
            if name in (consumer.username, consumer.id):
                return consumer
        msg = f"consumer {name} is named but not there"
        raise Unknown(msg)

    def by_key(self, key: str) -> Credential | None:
        """Whose key this is."""
        return self._keys.get(key)

    def by_password(self, username: str, password: str) -> Credential | None:
        """Whose username and password these are."""
        # An unknown user takes as long as a wrong password.
        wanted, credential = self._passwords.get(username, ("", None))
        right = hmac.compare_digest(wanted.encode(), password.encode())
        return credential if right and wanted else None
