"""The client of the MongoDB store: connects to the configured URL, with the limits of this service."""

import warnings
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import ConfigurationError, InvalidName, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from task_svc.mongo.documents import Document
from task_svc.mongo.guard import CONCURRENCY
from task_svc.repository import StoreUnusable

_OPTIONS: dict[str, Any] = {
    "appname": "task_svc",
    "maxPoolSize": CONCURRENCY,
    # A heartbeat and a timeout detect a store that hangs, so that callers get an error within 3 seconds.
    "connectTimeoutMS": 1_000,
    "heartbeatFrequencyMS": 500,
    # The driver does not retry: its threads would wait while the store is unavailable. Callers retry instead.
    "retryReads": False,
    "retryWrites": False,
}

DURABLE = ReadConcern("majority")
"""Reads only what a majority has on disk. Other reads may also return a write that a failover then rolls back."""

_AUTHENTICATION_FAILED = 18

Client = AsyncIOMotorClient[Document]


def new_client(url: str, password_file: Path | None) -> Client:
    """Return a client that connects at its first use. Raises StoreUnusable for an invalid URL."""
    options = _OPTIONS if password_file is None else {**_OPTIONS, "password": _read(password_file)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # reject unknown options: a misspelled one may be that for TLS
            return AsyncIOMotorClient(url, **options)
    except (ConfigurationError, ValueError, UserWarning):
        # The driver's message is not shown: it may contain the password.
        msg = (
            "cannot use the MongoDB URL in TASK_STORE_URL: it must be mongodb://USER:PASSWORD@HOST:PORT/DATABASE, with "
            "the password there or in TASK_STORE_PASSWORD_FILE, special characters as %XX, and known options only"
        )
        raise StoreUnusable(msg) from None


def collection_of(client: Client) -> "AsyncIOMotorCollection[Document]":
    """Return the collection of tasks, in the URL's database. Writes wait until a majority has them on disk.

    Raises StoreUnusable if the URL has no database.
    """
    try:
        database = client.get_default_database()
    except (ConfigurationError, InvalidName):
        msg = "the MongoDB URL in TASK_STORE_URL must name a database, for example mongodb://HOST/taskmesh"
        raise StoreUnusable(msg) from None
    concern = WriteConcern("majority", j=True)
    return database.get_collection("tasks", write_concern=concern, read_preference=ReadPreference.PRIMARY)


def reason_of(error: PyMongoError) -> str:
    """Return the driver's reason for an error, without the details that are different each time."""
    if isinstance(error, OperationFailure) and error.details:
        reason = str(error.details.get("errmsg")).partition(" {")[0]  # without the command that failed
        return f"wrong user or password: {reason}" if error.code == _AUTHENTICATION_FAILED else reason
    reason = str(error).partition(", Timeout: ")[0]  # without the exact time, and the state of all servers
    return f"{type(error).__name__}: {reason}"


def _read(path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise StoreUnusable(msg) from None
