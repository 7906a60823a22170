"""`python -m scripts.drill N`: inject a fault into the running system, under load, until Ctrl-C or the time limit."""

import argparse
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.drill.compose import ComposeInjector
from scripts.drill.drills import DRILLS, Drill, FaultInjector
from scripts.drill.local import LocalInjector, Unreachable

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str]) -> int:
    """Run the drill, or list the drills if there is no number; return the exit status."""
    parser = argparse.ArgumentParser(prog="make drill N=…", description="Cause a failure for you to find.")
    parser.add_argument("number", nargs="?", type=int, choices=sorted(DRILLS), help="the drill; omit it for a list")
    parser.add_argument("--seconds", type=float, default=900, help="the longest duration (default: 900)")
    parser.add_argument("--rate", type=float, default=10, help="requests per second during the drill (default: 10)")
    given = parser.parse_args(arguments)
    if given.number is None:
        print("\n".join(f"  make drill N={number}   “{drill.symptom}”" for number, drill in DRILLS.items()))
        return 0
    try:
        injector = _injector()
    except Unreachable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _drill(DRILLS[given.number], injector, given.seconds, given.rate)
    return 0


def _injector() -> FaultInjector:
    """Return the injector for `make dev` if its edge listens, else that for the containers. Raise Unreachable."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(os.environ.get("EDGE_PORT") or 8080))) == 0:
            return LocalInjector.find(os.environ)
    compose = _ROOT / "scripts/compose"
    found = subprocess.run([compose, "ps", "--quiet", "edge-api"], capture_output=True, text=True)
    if found.returncode != 0 or not found.stdout.strip():
        msg = "neither `make dev` nor `make up` is running"
        raise Unreachable(msg)
    return ComposeInjector(compose)


def _drill(drill: Drill, injector: FaultInjector, seconds: float, rate: float) -> None:
    print(f"“{drill.symptom}”\n\nFind the cause: Grafana or http://127.0.0.1:9090/alerts, and monitoring/runbook.md.")
    print("The alert fires after a minute or more. Press Ctrl-C to end the drill and see the cause.", flush=True)
    load = subprocess.Popen(
        [_ROOT / "scripts/load", "--rate", f"{rate:g}", "--seconds", f"{seconds:g}"], stdout=subprocess.DEVNULL
    )
    stop = threading.Event()
    running = threading.Thread(target=drill.run, args=(injector, stop))
    running.start()
    try:
        running.join(seconds)
    except KeyboardInterrupt:
        pass
    finally:
        stop.set()
        load.terminate()
        running.join()
        load.wait()
    print(f"\nThe drill has ended. The fault was: {drill.name}; {drill.cause}. See {drill.alert} in the runbook.")
    if drill.cleanup:
        print(drill.cleanup)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
