"""Which MongoDB URLs are valid; errors about the others contain no secrets."""

from pathlib import Path

import pytest

from task_svc.mongo.client import collection_of, new_client
from task_svc.repository import StoreUnusable


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://ann:sec/ret@127.0.0.1/taskmesh",
        "mongodb://ann:sec@ret@127.0.0.1/taskmesh",
        "mongodb://ann:sec:ret@127.0.0.1/taskmesh",
        "mongodb://ann:%sec%ret@127.0.0.1/taskmesh",
        "mongodb://ann:secret@127.0.0.1:port/taskmesh",
        "mongodb://ann:secret@127.0.0.1:99999/taskmesh",
        "mongodb://ann:secret@/taskmesh",
        "mongodb://ann:secret@127.0.0.1/taskmesh?tls=certainly",
        "mongodb://ann:secret@127.0.0.1/taskmesh?tlls=true",
        "mongodb://ann:secret@127.0.0.1/taskmesh?authMechanism=secret",
        "mongodb+srv://ann:secret@cluster.example:27017/taskmesh",
        "mongodb://ann@127.0.0.1/taskmesh",
    ],
)
async def test_an_invalid_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(StoreUnusable, match="cannot use the MongoDB URL in TASK_STORE_URL") as raised:
        new_client(url, None)

    assert not any(part in str(raised.value) for part in ("sec", "ret@", "127.0.0.1"))
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("database", ["", "/", "/?w=1"])
async def test_a_url_must_name_a_database(database: str) -> None:
    client = new_client(f"mongodb://127.0.0.1{database}", None)
    with pytest.raises(StoreUnusable, match="must name a database"):
        collection_of(client)
    client.close()


async def test_writes_need_a_majority_on_disk_and_reads_use_the_primary_for_any_url() -> None:
    client = new_client("mongodb://127.0.0.1/taskmesh?w=0&readPreference=secondary", None)
    collection = collection_of(client)
    assert collection.write_concern.document == {"w": "majority", "j": True}
    assert collection.read_preference.mode == 0
    assert (collection.database.name, collection.name) == ("taskmesh", "tasks")
    client.close()


async def test_a_password_can_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("se/cr@et\n")
    client = new_client("mongodb://ann@127.0.0.1/taskmesh?authSource=admin", path)
    options = client.delegate.options
    assert options.pool_options._credentials.password == "se/cr@et"
    assert "se/cr@et" not in repr(client)
    client.close()


async def test_a_password_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match=r"cannot read .*nowhere"):
        new_client("mongodb://ann@127.0.0.1/taskmesh", tmp_path / "nowhere")
