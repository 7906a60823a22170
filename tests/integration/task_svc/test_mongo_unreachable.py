"""A store that cannot be opened: the log says why, soon and once."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from task_svc.mongo import store as mongo
from tests.support.holding import until
from tests.support.ports import free_port
from tests.support.task_svc.mongo_refusing import RefusingPrimary, refusing_primary

WITHIN = 10.0


@pytest.fixture
def primary() -> Iterator[RefusingPrimary]:
    with refusing_primary() as running:
        yield running


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mongodb://ann:secret@127.0.0.1:{closed}/tasks", "127.0.0.1:{closed}: [Errno"),
        ("mongodb://ann:secret@no-such-host.invalid/tasks", "no-such-host.invalid:27017: [Errno"),
        ("mongodb://ann:secret@{primary}/tasks?replicaSet=rs9", "members available for replica set name"),
        ("mongodb://ann:secret@{primary}/tasks", "wrong user or password: Authentication failed."),
        ("mongodb://{primary}/tasks", "Command createIndexes requires authentication"),
    ],
)
async def test_the_reason_is_logged_within_seconds_and_without_the_password(
    primary: RefusingPrimary, url: str, reason: str
) -> None:
    places = {"closed": free_port(), "primary": primary.address}
    with capture_logs() as lines:
        async with mongo.open_store(url.format(**places)):
            await until(lambda: any(reason.format(**places) in line["error"] for line in lines), WITHIN)

    assert {line["event"] for line in lines} == {"store not available yet"}
    assert "secret" not in str(lines)


async def test_the_same_reason_is_logged_only_once(primary: RefusingPrimary) -> None:
    with capture_logs() as lines:
        async with mongo.open_store(f"mongodb://ann:secret@{primary.address}/tasks"):
            await until(lambda: primary.refused >= 3, WITHIN)

    assert len(lines) == 1
