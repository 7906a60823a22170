"""The probe of MongoDB: that it can be used, or why it cannot. No message contains the password."""

import errno
import socket
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConfigurationError, OperationFailure, ServerSelectionTimeoutError
from pymongo.topology_description import TopologyDescription

from scripts.doctor.findings import Finding, Problem

_SELECTION_MS = 1_000
_REJECTED = {13: "it requires a user that may read the tasks", 18: "wrong user or password"}
_UNKNOWN_HOST = (socket.EAI_NONAME, socket.EAI_AGAIN)


async def mongodb(url: str, password: str | None) -> Finding:
    """Check that the tasks can be read, in a replica set: a single server may lose an acknowledged write."""
    options: dict[str, Any] = {"serverSelectionTimeoutMS": _SELECTION_MS}
    if password is not None:
        options["password"] = password
    try:
        client = AsyncMongoClient[dict[str, Any]](url, **options)
        tasks = client.get_default_database()["tasks"]
    except (ConfigurationError, ValueError):  # the driver's message may contain the password
        form = "set TASK_STORE_URL to mongodb://USER@HOST:PORT/DATABASE, with special characters as %XX"
        raise Problem("this URL is not valid", form) from None
    async with client:
        try:
            hello = await client.admin.command("hello")
            await tasks.find_one({}, {"_id": 1})
            if "setName" not in hello:
                raise Problem("it is not a replica set", "start mongod with --replSet, as compose/mongo does")
            version = f"MongoDB {(await client.server_info())['version']}"
        except ServerSelectionTimeoutError as error:
            raise _unreachable(client.topology_description, str(error).partition(", Timeout: ")[0]) from error
        except OperationFailure as error:
            if error.code not in _REJECTED:
                raise
            user = "correct the user and its authSource in TASK_STORE_URL, and its password in TASK_STORE_PASSWORD_FILE"
            raise Problem(_REJECTED[error.code], user) from error
    return Finding(says=f"replica set {hello['setName']}", version=version)


def _unreachable(topology: TopologyDescription, reason: str) -> Problem:
    if not topology.server_descriptions() or "replica set named" in reason:  # the driver drops servers of other sets
        name = "correct replicaSet in TASK_STORE_URL; `mongosh --eval 'db.hello().setName'` prints the name"
        return Problem(f"the server is not a member of the replica set {topology.replica_set_name}", name)
    if reason.startswith("Could not reach any servers"):  # the names in the replica set's own configuration
        return Problem(reason, "add directConnection=true to TASK_STORE_URL, or make these names resolvable")
    if topology.known_servers:
        return Problem("no primary", "initiate the replica set with rs.initiate(), or start its other members")
    if any(f"[Errno {code}]" in reason for code in _UNKNOWN_HOST):
        return Problem("the host name cannot be resolved", "correct the host in TASK_STORE_URL")
    if f"[Errno {errno.ECONNREFUSED}]" in reason:
        return Problem("no server listens on this port", "start MongoDB, or correct the port in TASK_STORE_URL")
    return Problem(reason, "start MongoDB, or correct TASK_STORE_URL")
