"""How `make dev` waits for its processes."""

import pytest

from scripts.dev.ready import NotReady, all_ready, grpc_serving, http_ok, listening
from tests.support.ports import free_port


async def test_who_is_not_ready_is_named_with_the_reason() -> None:
    port = free_port()
    probes = {
        "web": http_ok("127.0.0.1", port, "/readyz"),
        "rpc": grpc_serving(f"127.0.0.1:{port}", "some.Service"),
        "queue": listening("127.0.0.1", port),
    }
    with pytest.raises(NotReady, match=r"not ready after 0\.5 s") as caught:
        await all_ready(probes, 0.5)
    lines = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == ["web", "rpc", "queue"]
    assert "UNAVAILABLE" in lines[1]


async def test_all_ready_ends_as_soon_as_each_has_been_ready_once() -> None:
    tries: list[str] = []

    async def probe() -> None:
        tries.append("tried")
        if len(tries) < 3:
            raise OSError

    await all_ready({"slow": probe}, 10)
    assert len(tries) == 3
