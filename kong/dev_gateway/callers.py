"""Finds the consumer for a key or a password."""

import hmac
from collections.abc import Mapping

from kong.configuration import Consumer

Caller = tuple[Consumer, str]
"""A consumer and the identifier of its credential: a user name, or the id of a key."""


class Callers:
    """The consumers of kong.yml by name, key and password."""

    def __init__(self, by_name: Mapping[str, Consumer]) -> None:
        self._by_name = by_name
        self._by_key = {key.key: (each, key.id) for each in by_name.values() for key in each.keyauth_credentials}
        self._by_username = {
            one.username: ((each, one.username), one.password)
            for each in by_name.values()
            for one in each.basicauth_credentials
        }

    def named(self, name: str) -> Consumer:
        """Return the consumer with this name, which must exist."""
        return self._by_name[name]

    def by_key(self, key: str) -> Caller | None:
        """Return the caller with this key, or None."""
        return self._by_key.get(key)

    def by_password(self, username: str, password: str) -> Caller | None:
        """Return the caller with this user name and password, or None, in the same time for an unknown name."""
        caller, wanted = self._by_username.get(username, (None, ""))
        return caller if hmac.compare_digest(wanted.encode(), password.encode()) and caller else None
