"""`python -m scripts.drill N`: inject a fault into the running system, under load, and ask for its cause."""

import argparse
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import DEVNULL, Popen, run

from scripts.dev.services import METRICS_PORTS
from scripts.dev.settings import BadSettings, read
from scripts.drill.compose import ComposeInjector
from scripts.drill.drills import CAUSES, DRILLS, Drill, DrillError, FaultInjector
from scripts.drill.local import LocalInjector

_SCRIPTS = Path(__file__).parents[1]


def main(arguments: Sequence[str]) -> None:
    """Run the drill, or list the drills if there is no number. Exit with status 1 if the drill fails."""
    parser = argparse.ArgumentParser(prog="make drill N=…", description="Cause a failure for you to find.")
    parser.add_argument("number", nargs="?", type=int, choices=sorted(DRILLS), help="the drill; omit it for a list")
    parser.add_argument("--seconds", type=float, default=900, help="the longest duration (default: 900)")
    parser.add_argument("--rate", type=float, default=10, help="requests per second during the drill (default: 10)")
    given = parser.parse_args(arguments)
    if given.number is None:
        print("\n".join(f"  make drill N={number}   “{drill.symptom}”" for number, drill in DRILLS.items()))
        return
    try:
        _drill(DRILLS[given.number], given.seconds, given.rate)
    except (BadSettings, DrillError) as error:
        sys.exit(str(error))


def _system() -> tuple[FaultInjector, Sequence[str]]:
    """Return the injector for `make dev` or else for `make up`, and where to look. Raise DrillError."""
    settings = read(os.environ)
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", settings.ports["EDGE_PORT"])) == 0:
            pages = [f"{name:12}http://127.0.0.1:{settings.ports[key]}/metrics" for name, key in METRICS_PORTS.items()]
            return LocalInjector.find(settings), [*pages, "log lines   the terminal of `make dev`"]
    found = run([_SCRIPTS / "compose", "ps", "--quiet", "edge-api"], capture_output=True, text=True)
    if found.returncode != 0 or not found.stdout.strip():
        msg = "neither `make dev` nor `make up` is running"
        raise DrillError(msg)
    grafana = f"http://127.0.0.1:{os.environ.get('GRAFANA_PORT') or 3000}, unless make up-lite started the system"
    return ComposeInjector(_SCRIPTS), [f"Grafana     {grafana}", "log lines   make logs"]


def _drill(drill: Drill, seconds: float, rate: float) -> None:
    """Run a drill until an answer, a signal or the time limit ends it. Raise DrillError if it fails."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: signals.append(received))
    injector, places = _system()
    places = (*places, "commands    make doctor, make dead-letters", "runbook     monitoring/runbook.md")
    print(f"“{drill.symptom}”\n\nLook for the cause while this runs:", *places, sep="\n  ")
    end, stop = time.monotonic() + seconds, threading.Event()
    load = [f"{_SCRIPTS}/load", f"--rate={rate:g}", f"--seconds={seconds:g}"]
    # In its own session, Ctrl-C does not reach a child.
    with ThreadPoolExecutor(1) as pool, Popen(load, stdin=DEVNULL, stdout=DEVNULL, start_new_session=True) as sending:
        fault = pool.submit(drill.run, injector, stop)
        try:
            is_right = _ask(drill.cause, lambda: bool(signals or fault.done()) or time.monotonic() > end)
        finally:
            stop.set()
            sending.terminate()
        print("\nRight." if is_right else "\nThe drill has ended.", flush=True)
    if error := fault.exception():
        msg = f"The drill failed, and its fault may remain (see “Drills” in monitoring/README.md): {error}"
        raise DrillError(msg)
    print(f"The fault was: {drill.name}. {drill.cause}\nWhere it shows: {drill.seen}")
    print(f"Its section in the runbook: {drill.alert}\nThe fault is undone.")


def _ask(cause: str, is_over: Callable[[], bool]) -> bool:
    """Ask until the answer is right or empty, or the drill is over. Return whether it is right."""
    choices = {str(number): text for number, text in enumerate(CAUSES, 1)}
    lines = (f"  {number}  {text}" for number, text in choices.items())
    print("\nWhat is the cause? Type its number, or press Enter to give up.", *lines, sep="\n", flush=True)
    stdin = [0]
    while not is_over():
        if select.select(stdin, [], [], 0.2)[0]:
            text = os.read(0, 4096).decode(errors="replace")
            if not text and not os.isatty(0):
                stdin.clear()  # the end of a file is no answer; Ctrl-D is an empty one
                continue
            for answer in map(str.strip, text.splitlines() or [""]):
                if not answer or choices.get(answer) == cause:
                    return bool(answer)
                print(f"{answer} is not the right number. Try again, or press Enter to give up.", flush=True)
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
