"""A collector that does not respond cannot delay the end of a process."""

import socket
import threading

import pytest

from chassis import tracing
from chassis.tracing import Tracing


@pytest.mark.parametrize("listens", [True, False], ids=["hangs", "refuses connections"])
def test_close_ends_without_a_response_from_the_collector(monkeypatch: pytest.MonkeyPatch, listens: bool) -> None:
    monkeypatch.setattr(tracing, "CLOSE_SECONDS", 0.1)
    with socket.socket() as collector:
        collector.bind(("127.0.0.1", 0))
        if listens:
            collector.listen()
        process = Tracing("probe", f"http://127.0.0.1:{collector.getsockname()[1]}")
        for _ in range(1_000):  # two batches
            process.tracer.start_span("work").end()
        closing = threading.Thread(target=process.close, daemon=True)
        closing.start()
        closing.join(10)  # without the limit, it takes 14 to 20 s
        assert not closing.is_alive()
