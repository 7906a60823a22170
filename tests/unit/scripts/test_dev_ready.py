"""How `make dev` waits for its processes."""

import pytest

from scripts.dev.ready import NotReady, all_ready
from tests.support.ports import free_port


async def test_processes_that_are_not_ready_are_named_with_the_reason() -> None:
    port = free_port()
    addresses = {"web": f"http://127.0.0.1:{port}/readyz", "rpc": f"grpc://127.0.0.1:{port}/some.Service"}
    with pytest.raises(NotReady, match=r"not ready after 0\.5 s") as caught:
        await all_ready(addresses, 0.5)
    lines = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == ["web", "rpc"]
    assert "UNAVAILABLE" in lines[1]
