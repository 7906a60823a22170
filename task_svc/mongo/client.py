"""The client of the MongoDB store: the URL that the settings give, with the limits that this service keeps to."""

import warnings
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import ConfigurationError, InvalidName

from task_svc.mongo.documents import Document
from task_svc.mongo.guard import AT_ONCE
from task_svc.repository import StoreUnusable

_OPTIONS: dict[str, Any] = {
    "appname": "task_svc",
    "maxPoolSize": AT_ONCE,
    # A store that hangs is noticed after a heartbeat and a time-out: so whoever waits for it is told within 3 seconds.
    "connectTimeoutMS": 1_000,
    "heartbeatFrequencyMS": 500,
    # No retries of its own: they would keep its threads waiting while the store is away, and callers know better.
    "retryReads": False,
    "retryWrites": False,
}

Client = AsyncIOMotorClient[Document]


def new_client(url: str, password_file: Path | None) -> Client:
    """A client that connects when it is first used. Raises StoreUnusable for a URL that cannot be one."""
    options = _OPTIONS if password_file is None else {**_OPTIONS, "password": _read(password_file)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # an option that is not understood might be the one for TLS
            return AsyncIOMotorClient(url, **options)
    except (ConfigurationError, ValueError, UserWarning):
        # What the driver says may quote any part of the URL, the password among them.
        msg = (
            "cannot use the MongoDB URL in TASK_STORE_URL: it must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE, the "
            "password there or in TASK_STORE_PASSWORD_FILE, what is special in them as %XX, and known options alone"
        )
        raise StoreUnusable(msg) from None


def collection_of(client: Client) -> "AsyncIOMotorCollection[Document]":
    """The tasks, in the database that the URL names; a write to them is answered when a majority has it on disk."""
    try:
        database = client.get_default_database()
    except (ConfigurationError, InvalidName):
        msg = "the MongoDB URL in TASK_STORE_URL must name a database, as mongodb://HOST/taskmesh does"
        raise StoreUnusable(msg) from None
    concern = WriteConcern("majority", j=True)
    return database.get_collection("tasks", write_concern=concern, read_preference=ReadPreference.PRIMARY)


def _read(path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise StoreUnusable(msg) from None
