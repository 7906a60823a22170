"""Migrates the search text and the labels of the documents that an earlier release wrote, in batches.

A pass reads all documents in the order of an index, and writes those that differ. Nothing is locked: an update matches
the revision that was read. During a rolling update, replicas of the earlier release may still write documents that the
pass has read. So only a later pass that finds nothing to write ends the migration, for all replicas, with a marker.
"""

from contextlib import suppress

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ASCENDING, UpdateOne
from pymongo.errors import DuplicateKeyError

from task_svc.mongo.documents import READABLE, Document, task_fields, to_task
from task_svc.mongo.indexes import BY_REQUEST

Collection = AsyncIOMotorCollection[Document]

_MARKER: Document = {"_id": "texts"}
_FIELDS = ("search_text", "labels")


class TextMigration:
    """The passes of one process over the collection."""

    def __init__(self, tasks: Collection) -> None:
        self._tasks = tasks
        self._markers: Collection = tasks.database.get_collection("migrations", write_concern=tasks.write_concern)
        self._owner = self._request_id = ""
        self._is_first_pass = True
        self._found = 0

    async def step(self, limit: int) -> bool:
        """Migrate at most `limit` documents. Returns False at the end of a pass."""
        if not self._owner and not await self._begin():
            return False
        own = {"owner": self._owner, "request_id": {"$gt": self._request_id}, **READABLE}
        found = self._tasks.find(own, sort=[("request_id", ASCENDING)], limit=limit).hint(BY_REQUEST.document["name"])
        documents = await found.batch_size(limit + 1).to_list(limit)
        await self._write(documents)
        if len(documents) == limit:
            self._request_id = documents[-1]["request_id"]
            return True
        if await self._to_next_owner():
            return True
        await self._end()
        return False

    async def _begin(self) -> bool:
        return await self._markers.find_one(_MARKER) is None and await self._to_next_owner()

    async def _to_next_owner(self) -> bool:
        """Go to the first document of the next owner. Returns False if there is none."""
        found = await self._tasks.find_one(
            {"owner": {"$gt": self._owner}}, {"owner": 1}, sort=[("owner", ASCENDING), ("request_id", ASCENDING)]
        )
        self._owner, self._request_id = found["owner"] if found else "", ""
        return found is not None

    async def _end(self) -> None:
        if not self._found and not self._is_first_pass:
            with suppress(DuplicateKeyError):
                await self._markers.insert_one(dict(_MARKER))
        self._is_first_pass, self._found = False, 0

    async def _write(self, documents: list[Document]) -> None:
        updates = []
        for document in documents:
            fields = task_fields(to_task(document))
            if any(fields[name] != document.get(name) for name in _FIELDS):
                same = {"_id": document["_id"], "revision": document["revision"]}
                updates.append(UpdateOne(same, {"$set": {name: fields[name] for name in _FIELDS}}))
        self._found += len(updates)
        if updates:
            await self._tasks.bulk_write(updates, ordered=False)
