"""What the SQLite store guarantees beyond the contract: durability, one process, and clear errors."""

import asyncio
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chassis.errors import DeadlineExceeded, Unavailable
from chassis.grpc_api import deadlines
from task_svc.repository import Filter, Order, StoreUnusable
from task_svc.sqlite import threads
from task_svc.sqlite.store import _connect, open_store
from task_svc.sqlite.threads import Readers, Writer
from task_svc.sqlite.write_ahead_log import LIMIT_BYTES
from tests.support.eventually import eventually
from tests.support.task_svc.full_disk import full_disk
from tests.support.task_svc.tasks import creation, new_task

_WRITE_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from task_svc.sqlite.store import open_store
from tests.support.task_svc.full_disk import full_disk
from tests.support.task_svc.tasks import creation, new_task

async def main():
    async with open_store(Path(sys.argv[1])) as store:
        async def write():
            while True:
                task = new_task()
                await store.insert(creation(task, task.id))
                print(task.id, flush=True)
        await asyncio.gather(*(write() for _ in range(20)))

asyncio.run(main())
"""


def log_size(path: Path) -> int:
    """Return the size of the write-ahead log of a database."""
    return Path(f"{path}-wal").stat().st_size


async def test_acknowledged_writes_survive_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WRITE_UNTIL_KILLED, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [await process.stdout.readline() for _ in range(300)]
    process.kill()
    acknowledged += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()

    async with open_store(path) as store:
        ids = [line.decode().strip() for line in acknowledged if line.endswith(b"\n")]
        assert len(ids) >= 300
        for task_id in ids:
            await store.get("ann", task_id)
        assert (await store.backlog()).unpublished >= len(ids)


def test_every_commit_waits_for_the_disk(tmp_path: Path) -> None:
    connection = _connect(tmp_path / "tasks.db")
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    connection.close()


async def test_a_second_process_cannot_open_the_file(tmp_path: Path) -> None:
    async with open_store(tmp_path / "tasks.db"):
        with pytest.raises(StoreUnusable, match=r"another process has .*tasks\.db open"):
            async with open_store(tmp_path / "tasks.db"):
                pass


async def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").mkdir()
    with pytest.raises(StoreUnusable, match=r"cannot open the store .*tasks\.db"):
        async with open_store(tmp_path / "tasks.db"):
            pass


async def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tasks.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()

    with pytest.raises(StoreUnusable, match="newer version"):
        async with open_store(tmp_path / "tasks.db"):
            pass


async def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    async with open_store(path) as store:
        first = new_task()
        await store.insert(creation(first))
        await store._writer.do(lambda connection: connection.execute("PRAGMA max_page_count = 1"))

        with capture_logs() as lines, pytest.raises(Unavailable):
            await store.insert(creation(new_task(description="x" * 10_000)))
        assert "full" in lines[0]["error"]

        await store._writer.do(lambda connection: connection.execute("PRAGMA max_page_count = 1000000"))
        await store.insert(creation(second := new_task()))
        assert await store.get("ann", first.id) == first
        assert await store.get("ann", second.id) == second


async def test_the_store_is_unavailable_while_the_disk_refuses_writes(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    async with open_store(path) as store:
        await store.insert(creation(new_task()))
        await store.ping()
        with full_disk(path), pytest.raises(Unavailable):
            await store.ping()
        await store.ping()


async def test_the_log_stays_small_although_readers_are_always_open(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    async with open_store(path) as store:
        ended = asyncio.Event()

        async def read() -> None:
            while not ended.is_set():
                await store.list("ann", Filter(text="nowhere"), Order(), None, 50)

        readers = [asyncio.create_task(read()) for _ in range(8)]
        peak = 0
        for _ in range(40):
            await asyncio.gather(*(store.insert(creation(new_task(description="x" * 9_000))) for _ in range(30)))
            peak = max(peak, log_size(path))
        ended.set()
        await asyncio.gather(*readers)
    assert peak < 3 * LIMIT_BYTES


async def test_the_log_shrinks_after_a_long_reader_which_does_not_stop_the_writes(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"

    async def write() -> None:
        await asyncio.gather(*(store.insert(creation(new_task(description="x" * 9_000))) for _ in range(50)))

    async with open_store(path) as store:
        await write()
        with closing(sqlite3.connect(path, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM tasks").fetchone()
            async with asyncio.timeout(60):
                while log_size(path) < 2 * LIMIT_BYTES:
                    await write()

        async def has_shrunk() -> bool:
            await store.insert(creation(new_task()))
            return log_size(path) <= LIMIT_BYTES

        await eventually(has_shrunk)


async def test_a_query_is_stopped_at_its_deadline(tmp_path: Path) -> None:
    readers = Readers(lambda: _connect(tmp_path / "tasks.db", read_only=True), 1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

    async def ask() -> None:
        deadlines.set_remaining(0.1)
        await readers.do(lambda connection: connection.execute(endless).fetchone())

    async with asyncio.timeout(5):
        with pytest.raises(DeadlineExceeded):
            await asyncio.create_task(ask())
    await readers.close()


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    async with open_store(tmp_path / "tasks.db") as store:
        with capture_logs() as lines, pytest.raises(Unavailable):
            await store._scans.do(lambda connection: connection.execute("DELETE FROM tasks"))
        assert "readonly" in lines[0]["error"]
        await store.list("ann", Filter(), Order(), None, 1)


async def test_writes_that_wait_together_share_one_commit(tmp_path: Path) -> None:
    commits: list[str] = []

    def connect() -> sqlite3.Connection:
        connection = _connect(tmp_path / "tasks.db")
        connection.execute("CREATE TABLE t (n INTEGER)")
        connection.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
        return connection

    writer = Writer(connect)
    await asyncio.gather(*(writer.do(lambda c: c.execute("INSERT INTO t VALUES (1)")) for _ in range(100)))
    await writer.close()

    assert len(commits) < 20


async def test_a_write_is_refused_while_too_many_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_QUEUE_MAX", 1)
    begun, release = threading.Event(), threading.Event()

    def hold(_connection: sqlite3.Connection) -> None:
        begun.set()
        release.wait(10)

    writer = Writer(lambda: _connect(tmp_path / "tasks.db"))
    held = asyncio.create_task(writer.do(hold))
    assert await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.create_task(writer.do(lambda _: "done"))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await writer.do(lambda _: None)
    release.set()
    await held
    assert await waiting == "done"
    await writer.close()


async def test_failed_work_does_not_affect_the_other_work_in_its_transaction(tmp_path: Path) -> None:
    writer = Writer(lambda: _connect(tmp_path / "tasks.db"))
    await writer.do(lambda c: c.execute("CREATE TABLE t (n INTEGER)"))

    def fail_after_writing(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (-1)")
        raise KeyError

    answers = await asyncio.gather(
        writer.do(lambda c: c.execute("INSERT INTO t VALUES (1)")),
        writer.do(fail_after_writing),
        writer.do(lambda c: c.execute("INSERT INTO t VALUES (2)")),
        return_exceptions=True,
    )
    rows = await writer.do(lambda c: [tuple(row) for row in c.execute("SELECT n FROM t ORDER BY n")])
    await writer.close()

    assert isinstance(answers[1], KeyError)
    assert rows == [(1,), (2,)]
