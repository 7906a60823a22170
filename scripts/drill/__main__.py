"""`python -m scripts.drill N`: switches a fault on beside a load, until Ctrl-C or its time is over, and off again."""

import argparse
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.drill.compose import ComposeHands
from scripts.drill.drills import DRILLS, Drill, FaultInjector
from scripts.drill.local import LocalHands, Unreachable

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str]) -> int:
    """Runs the drill that was asked for, or lists all; gives the exit status."""
    parser = argparse.ArgumentParser(prog="make drill N=…", description="Switches a fault on, for you to find.")
    parser.add_argument("number", nargs="?", type=int, choices=sorted(DRILLS), help="which drill; none lists them")
    parser.add_argument("--seconds", type=float, default=900, help="how long at most (default: 900)")
    parser.add_argument("--rate", type=float, default=10, help="requests a second meanwhile (default: 10)")
    given = parser.parse_args(arguments)
    if given.number is None:
        print("\n".join(f"  make drill N={number}   “{drill.complaint}”" for number, drill in DRILLS.items()))
        return 0
    try:
        injector = _injector()
    except Unreachable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _drill(DRILLS[given.number], injector, given.seconds, given.rate)
    return 0


def _injector() -> FaultInjector:
    """Those for `make dev` where its edge listens, else those for the containers. Raises Unreachable."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", int(os.environ.get("EDGE_PORT") or 8080))) == 0:
            return LocalHands.find(os.environ)
    compose = _ROOT / "scripts/compose"
    found = subprocess.run([compose, "ps", "--quiet", "edge-api"], capture_output=True, text=True)
    if found.returncode != 0 or not found.stdout.strip():
        msg = "neither `make dev` nor `make up` is running"
        raise Unreachable(msg)
    return ComposeHands(compose)


def _drill(drill: Drill, injector: FaultInjector, seconds: float, rate: float) -> None:
    print(f"“{drill.complaint}”\n\nFind out why: Grafana, or http://127.0.0.1:9090/alerts, and monitoring/runbook.md.")
    print("An alert takes a minute or some. Ctrl-C ends the drill and tells.", flush=True)
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
    print(f"\nIt was: {drill.name}; {drill.answer}. The runbook has it under {drill.alert}. It is over.")
    if drill.left_to_do:
        print(drill.left_to_do)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
