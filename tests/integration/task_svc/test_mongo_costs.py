"""The costs of queries on MongoDB, from the commands that are sent and from query plans.

nx-27017 has no query plans: MongoDB's rule for compound indexes decides there whether an index serves a query. If
MONGODB_TEST_URL is set to a mongod, its query plans and examined keys are checked too.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pymongo
import pytest

from chassis.errors import NotFound
from chassis.grpc_api import deadlines
from task_svc import domain
from task_svc.domain import Priority, Status
from task_svc.mongo import indexes
from task_svc.mongo import store as mongo
from task_svc.mongo.documents import Document, to_document
from task_svc.outbox import PublishMark, Slot
from task_svc.repository import SCAN_MAX, Filter, Order, SortKey, TaskRepository
from tests.integration.task_svc.stores import MONGOD, until_usable
from tests.support.task_svc.mongo import MongoServer, database
from tests.support.task_svc.mongo_commands import Commands, Shape, recorded
from tests.support.task_svc.tasks import START, creation, new_task, pending, written

EVERY_ORDER = [Order(key, descending) for key in SortKey for descending in (False, True)]
FLAT = {
    "unfiltered": Filter(),
    "one status": Filter(statuses=frozenset({Status.TODO})),
    "one label": Filter(labels=("common",)),
    "with deleted": Filter(show_deleted=True),
}
BOUNDED = {
    "two statuses": Filter(statuses=frozenset({Status.TODO, Status.DONE})),
    "priorities": Filter(priorities=frozenset({Priority.LOW})),
    "due": Filter(due_after=START, due_before=START + timedelta(days=1)),
    "text without a match": Filter(text="nowhere"),
    "label and status": Filter(labels=("common",), statuses=frozenset({Status.DONE})),
    "two labels, deleted too": Filter(labels=("common", "never"), show_deleted=True),
}
INDEXES = {
    "_id_": ["_id"],
    **{index.document["name"]: list(index.document["key"]) for index in indexes.ALL},
}
LATER = START + timedelta(days=365)


@dataclass
class Recorded:
    store: TaskRepository
    commands: Commands
    url: str

    def shapes(self) -> list[Shape]:
        """Return the queries since the last call."""
        shapes = self.commands.shapes()
        self.commands.sent.clear()
        return shapes


@pytest.fixture
async def at(mongo_server: MongoServer) -> AsyncIterator[Recorded]:
    with database(mongo_server) as url, recorded() as commands:
        async with mongo.open_store(url) as store:
            await until_usable(store)
            commands.sent.clear()
            yield Recorded(store, commands, url)


@pytest.mark.parametrize(
    ("index", "serves"),
    [
        (["owner", "deleted", "by_priority"], True),
        (["deleted", "owner", "by_priority", "status"], True),
        (["owner", "by_priority", "deleted"], True),  # scans deleted tasks too, but in order
        (["by_priority"], True),
        (["owner", "status", "by_priority"], False),
        (["status", "owner", "deleted", "by_priority"], False),
        (["owner", "deleted"], False),
    ],
)
def test_the_rule_decides_what_an_index_can_serve(index: list[str], serves: bool) -> None:
    shape = Shape({}, frozenset({"owner", "deleted"}), frozenset({"by_priority"}), frozenset(), ["by_priority"], None)
    assert shape.is_served_by(index) is serves


def serving(shape: Shape) -> str:
    """Return the index that serves a query: its hint, or any index without a hint."""
    names = [shape.hint] if shape.hint else INDEXES
    served = [name for name in names if shape.is_served_by(INDEXES[name])]
    assert served, shape
    return served[0]


@pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
@pytest.mark.parametrize("criteria", FLAT.values(), ids=FLAT)
async def test_a_page_with_constant_cost_reads_only_its_index(at: Recorded, criteria: Filter, order: Order) -> None:
    for _ in range(2):
        await at.store.insert(creation(new_task(labels=("common",))))
    at.shapes()

    first = await at.store.list("ann", criteria, order, None, 1)
    assert first.next is not None
    await at.store.list("ann", criteria, order, first.next, 1)

    shapes = at.shapes()
    assert len(shapes) == (4 if criteria.show_deleted else 2)
    for shape in shapes:
        assert shape.beside(INDEXES[serving(shape)]) == set()
        assert shape.command["limit"] == 2


@pytest.mark.parametrize("order", EVERY_ORDER, ids=str)
@pytest.mark.parametrize("criteria", BOUNDED.values(), ids=BOUNDED)
async def test_every_other_page_scans_an_index_up_to_a_limit(at: Recorded, criteria: Filter, order: Order) -> None:
    await at.store.list("ann", criteria, order, None, 10)

    shapes = at.shapes()
    branches = 2 if criteria.show_deleted else 1
    windows, pages = shapes[:branches], shapes[branches:]
    for window in windows:
        assert window.beside(INDEXES[serving(window)]) == set()
        assert (window.command["skip"] + 1) * branches == SCAN_MAX
    assert len(pages) == branches
    for page in pages:
        serving(page)
        assert page.checked


async def test_all_other_queries_have_an_index(at: Recorded) -> None:
    created = creation(new_task(), "key")
    await at.store.insert(created)
    await at.store.insert(creation(new_task(), "key"))
    with pytest.raises(NotFound):
        await at.store.get("bob", created.task.id)
    await at.store.change(
        "ann",
        created.task.id,
        lambda found: (new := domain.delete(found, "", START), pending(new, Slot.CHANGED)),
    )
    await at.store.pending(LATER, 10)
    await at.store.mark_published(
        [PublishMark(created.event.id, "1-1", START), PublishMark(pending(created.task).id, "1-1", START)]
    )
    await at.store.confirmed([created.event.id])
    await at.store.backlog()
    await at.store.purge(LATER, 10)
    await at.store.to_remind(LATER, 10)
    while await at.store.migrate_texts(1):
        pass

    shapes = at.shapes()
    served = {serving(shape) for shape in shapes}
    outbox = {f"{use}_{slot}" for use in ("look", "unpublished") for slot in Slot}
    assert served == {"_id_", "by_request", "to_purge", "to_remind", *outbox}


async def test_commands_have_a_time_limit_and_a_write_concern(at: Recorded) -> None:
    task = new_task()

    async def request() -> None:
        deadlines.set_remaining(2)
        await at.store.insert(creation(task, "key"))
        await at.store.insert(creation(new_task(), "key"))
        await at.store.change("ann", task.id, lambda found: (new := written(found), pending(new, Slot.CHANGED)))
        await at.store.list("ann", Filter(text="milk", show_deleted=True), Order(), None, 10)

    at.commands.sent.clear()
    await asyncio.create_task(request())

    assert {next(iter(command)) for command in at.commands.sent} == {"find", "insert", "update"}
    for command in at.commands.sent:
        assert 1_000 < command["maxTimeMS"] <= 2_000
        if "insert" in command or "update" in command:
            assert command["writeConcern"] == {"w": "majority", "j": True}


async def test_the_readiness_check_is_a_write_that_changes_nothing(at: Recorded) -> None:
    at.commands.sent.clear()
    await at.store.ping()
    (command,) = at.commands.sent
    assert command["writeConcern"] == {"w": "majority", "j": True}
    with pymongo.MongoClient[Document](at.url) as client:
        assert client.get_default_database()["tasks"].count_documents({}) == 0


async def test_a_request_without_a_change_is_answered_from_what_a_majority_has(at: Recorded) -> None:
    task = new_task()
    await at.store.insert(creation(task, "key"))
    at.commands.sent.clear()

    await at.store.insert(creation(new_task(), "key"))
    _, repeated = at.commands.sent
    assert repeated["readConcern"] == {"level": "majority"}
    at.commands.sent.clear()

    assert await at.store.change("ann", task.id, lambda _: None) == (task, None)
    _, confirmation = at.commands.sent
    assert confirmation["writeConcern"] == {"w": "majority", "j": True}
    (update,) = confirmation["updates"]
    assert update["q"].items() > update["u"]["$set"].items() == {"revision": 1}.items()
    at.commands.sent.clear()

    await at.store.pending(LATER, 10)
    assert [command["readConcern"] for command in at.commands.sent] == [{"level": "majority"}] * len(Slot)


def stages(plan: Any) -> Iterator[str]:
    """Yield the names of all stages of a plan."""
    if isinstance(plan, Mapping):
        if "stage" in plan:
            yield plan["stage"]
        for part in plan.values():
            yield from stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages(part)


def explained(url: str, command: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return mongod's plan and execution statistics of a `find`."""
    plain = {name: value for name, value in command.items() if not name.startswith(("$", "lsid", "txn", "maxTimeMS"))}
    with pymongo.MongoClient[Document](url) as client:
        return client.get_default_database().command("explain", plain, verbosity="executionStats")


@pytest.mark.skipif(MONGOD is None, reason="query plans need a real mongod: set MONGODB_TEST_URL")
@pytest.mark.parametrize("criteria", [*FLAT.values(), *BOUNDED.values()], ids=[*FLAT, *BOUNDED])
async def test_mongods_plans_do_not_sort_and_stay_within_the_scan_limit(tmp_path: Path, criteria: Filter) -> None:
    with database(MongoServer(MONGOD or "")) as url, recorded() as commands:
        async with mongo.open_store(url) as store:
            await until_usable(store)
            with pymongo.MongoClient[Document](url) as client:
                client.get_default_database()["tasks"].insert_many(
                    to_document(creation(new_task(at=START + timedelta(seconds=n % 1000), labels=("common",))))
                    for n in range(2 * SCAN_MAX)
                )
            for order in EVERY_ORDER:
                commands.sent.clear()
                first = await store.list("ann", criteria, order, None, 50)
                await store.list("ann", criteria, order, first.next, 50)
                for find in list(commands.sent):
                    plan = explained(url, find)
                    assert not {"COLLSCAN", "SORT"} & set(stages(plan["queryPlanner"]["winningPlan"])), plan
                    examined = plan["executionStats"]["totalKeysExamined"]
                    assert examined <= (SCAN_MAX if criteria in BOUNDED.values() else 51) + 1, plan
