"""Each drill makes its alert fire, and no others except the listed consequences. The alert clears after the fault.

All windows and waits of the rules are shortened by the same factor, so that the test takes seconds instead of minutes.
"""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.drill.drills import DRILLS
from tests.faults.harness.system import TOKEN
from tests.support.stack.prometheus import until
from tests.support.stack.watched import Watched, load, watched

_SPEEDUP = 20
_SEEN_LONG_ENOUGH = "count_over_time(edge:http_requests:rate5m[1m]) >= 12"
"""The mesh has been monitored for longer than the waits of all alerts except ErrorBudgetBurnsSlowly."""
_WITHIN = 90.0


@pytest.mark.slow  # also run it alone: with other tests at the same time, even a healthy mesh may be slow
@pytest.mark.parametrize("number", sorted(DRILLS), ids=lambda number: DRILLS[number].name)
async def test_a_drill_makes_only_its_alert_fire_and_the_alert_clears(
    tmp_path: Path, number: int, record_property: Callable[[str, object], None]
) -> None:
    drill = DRILLS[number]
    async with watched(tmp_path, speedup=_SPEEDUP) as running, load(running.mesh):
        ask = running.prometheus
        await asyncio.to_thread(until, lambda: ask.has_data(_SEEN_LONG_ENOUGH), 60, "the mesh is monitored")
        assert ask.firing() == set()

        stop, seen = threading.Event(), set[str]()
        fault = threading.Thread(target=drill.run, args=(running.injector, stop))
        fault.start()

        def fires() -> bool:
            seen.update(ask.firing())
            return drill.alert in seen

        try:
            fired = await asyncio.to_thread(until, fires, _WITHIN, f"{drill.alert} fires, seen {seen}")
        finally:
            stop.set()
            fault.join()
        _follow_the_runbook(running, drill.alert)

        def clears() -> bool:
            firing = ask.firing()
            seen.update(firing)
            return drill.alert not in firing

        cleared = await asyncio.to_thread(until, clears, _WITHIN, f"{drill.alert} clears")
    assert seen <= {drill.alert} | drill.consequences
    others = ", ".join(sorted(seen - {drill.alert})) or "no other"
    record_property(
        "monitoring",
        f"drill {number} {drill.name}: {drill.alert} after {fired:.0f} s, and {others}; cleared after {cleared:.0f} s",
    )


def _follow_the_runbook(running: Watched, alert: str) -> None:
    if alert != "DeadLettersWait":
        return
    token = running.mesh.store.parent / "token"
    assert token.read_text() == TOKEN
    environment = {**os.environ, "NOTIFY_GRPC_TARGET": running.mesh.notify_target, "MESH_TOKEN_FILE": str(token)}
    command = [sys.executable, "-m", "notify_svc.cli.dead_letters", "discard", "--all"]
    subprocess.run(command, env={**environment, "no_proxy": "127.0.0.1"}, check=True, capture_output=True, timeout=60)
