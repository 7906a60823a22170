"""Makes the dashboards move: requests at a steady rate, in a mix like that of people at work. `make load`.

It calls the edge itself, as the gateway would, so that the gateway's limits do not stop it; with `--through-gateway`
it is a client like any other, to see them do so. Who calls for what, and when, is drawn from the seed: two runs ask for
the same. All of it is in one file, since in containers it is handed to the Python of the edge's image.
"""

import argparse
import itertools
import os
import queue
import random
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

TASKS, NOTIFICATIONS = "/api/v1/tasks", "/api/v1/notifications"
MIX = {"list": 35, "get": 20, "create": 20, "update": 10, "notifications": 10, "delete": 5}
"""How many of a hundred requests are of which kind; of each kind, some are wrong on purpose."""
_TITLES = ("Buy milk", "Call the bank", "Write the report", "Water the plants", "Book a table", "Mend the bicycle")
_WORKERS = 64
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """What to send, and where."""

    url: str
    headers: dict[str, str]
    """What makes the receiver believe who calls; the user's name is added where it stands for one."""
    rate: float = 10
    seconds: float = 60
    error_share: float = 0.02
    users: int = 8
    seed: int = 1
    names_user: bool = True
    """Whether each request names its user, as behind the gateway."""


@dataclass(frozen=True)
class Step:
    """One request: when it is due, in seconds from the start, and what it asks for."""

    due: float
    kind: str
    user: str
    is_wrong: bool
    title: str
    pick: float
    """Which of the user's tasks, as a share of them."""


@dataclass
class Result:
    """What became of all requests."""

    began: float = field(default_factory=time.monotonic)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From when each was due to its answer, by kind."""
    statuses: Counter[str] = field(default_factory=Counter)
    """How many ended with each status; `none` for those without an answer."""
    unexpected: int = 0
    """Those that were meant to succeed and did not."""

    @property
    def count(self) -> int:
        """How many have ended."""
        return self.statuses.total()


def plan(options: Options) -> Iterator[Step]:
    """All requests in order; the same for the same options."""
    draw = random.Random(options.seed)  # noqa: S311 (spreads requests, guards nothing)
    kinds, weights = list(MIX), list(MIX.values())
    for number in range(round(options.rate * options.seconds)):
        yield Step(
            due=number / options.rate,
            kind=draw.choices(kinds, weights)[0],
            user=f"load-{draw.randrange(options.users)}",
            is_wrong=draw.random() < options.error_share,
            title=draw.choice(_TITLES),
            pick=draw.random(),
        )


class Load:
    """Sends the plan's requests, each when it is due; `result` grows meanwhile."""

    def __init__(self, options: Options) -> None:
        self.result = Result()
        self._options = options
        self._http = urllib3.PoolManager(maxsize=_WORKERS, retries=False, timeout=_TIMEOUT_SECONDS)
        self._due: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._tasks: dict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def run(self) -> Result:
        """Sends all, and waits for the answers."""
        workers = [threading.Thread(target=self._work, daemon=True) for _ in range(_WORKERS)]
        for worker in workers:
            worker.start()
        for step in plan(self._options):
            if self._stop.wait(max(0.0, self.result.began + step.due - time.monotonic())):
                break
            self._due.put(step)
        for _ in workers:
            self._due.put(None)
        for worker in workers:
            worker.join()
        return self.result

    def stop(self) -> None:
        """Sends no more; `run` ends when what was sent is answered."""
        self._stop.set()

    def _work(self) -> None:
        while (step := self._due.get()) is not None:
            method, path, body = self._request(step)
            status, answer = self._send(step.user, method, path, body)
            # From when it was due, not from when somebody had time for it: a hang delays all that come after too.
            took = time.monotonic() - self.result.began - step.due
            with self._lock:
                self.result.seconds[step.kind].append(took)
                self.result.statuses[status] += 1
                self.result.unexpected += not step.is_wrong and status not in ("200", "201", "204", "404")
                if status == "201":
                    self._tasks[step.user].append(answer["id"])

    def _request(self, step: Step) -> tuple[str, str, Any]:
        if step.kind == "create":
            return "POST", TASKS, {"title": "" if step.is_wrong else step.title}
        if step.kind == "list":
            return "GET", f"{TASKS}?page_size={-1 if step.is_wrong else 20}", None
        if step.kind == "notifications":
            return "GET", f"{NOTIFICATIONS}?page_size={-1 if step.is_wrong else 20}", None
        path = f"{TASKS}/{self._one_of(step)}"
        if step.kind == "update":
            return "PATCH", path, {"status": "DONE"}
        return ("DELETE" if step.kind == "delete" else "GET"), path, None

    def _one_of(self, step: Step) -> str:
        with self._lock:
            mine = self._tasks[step.user]
            if step.is_wrong or not mine:
                return "01H00000000000000000000000"
            place = int(step.pick * len(mine))
            return mine.pop(place) if step.kind == "delete" else mine[place]

    def _send(self, user: str, method: str, path: str, body: Any) -> tuple[str, Any]:
        headers = dict(self._options.headers)
        if self._options.names_user:
            headers["X-Consumer-Username"] = user
        if method == "PATCH":
            headers["Content-Type"] = "application/merge-patch+json"
        try:
            answer = self._http.request(method, f"{self._options.url}{path}", headers=headers, json=body)
            return str(answer.status), answer.json() if answer.status == 201 else None
        except (urllib3.exceptions.HTTPError, ValueError):
            return "none", None


def progress(result: Result) -> str:
    """How it goes, in a line."""
    passed = max(time.monotonic() - result.began, 1e-9)
    by_class = Counter(f"{status[0]}xx" if status != "none" else status for status in result.statuses.elements())
    classes = "   ".join(f"{name} {count}" for name, count in sorted(by_class.items()))
    return f"{passed:5.0f} s   {result.count / passed:6.1f}/s   {classes}"


def summary(result: Result) -> str:
    """Rates and latencies by kind, then how the requests ended."""
    passed = max(time.monotonic() - result.began, 1e-9)
    lines = [f"{'':15}{'requests':>9}{'rate':>9}{'p50':>10}{'p95':>10}{'p99':>10}"]
    everything = list(itertools.chain.from_iterable(result.seconds.values()))
    for kind, seconds in (*sorted(result.seconds.items()), ("all", everything)):
        cuts = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [*seconds, 0.0] * 99
        times = "".join(f"{cuts[q - 1] * 1000:7.0f} ms" for q in (50, 95, 99))
        lines.append(f"{kind:15}{len(seconds):9}{len(seconds) / passed:7.1f}/s{times}")
    ended = ", ".join(f"{count} of {status}" for status, count in sorted(result.statuses.items()))
    lines.append(f"answers: {ended or 'none'}; not as they should be: {result.unexpected}")
    return "\n".join(lines)


def watch(load: Load, finished: threading.Event) -> None:
    """Says each second how it goes; where nobody watches, each ten."""
    on_terminal = sys.stdout.isatty()
    while not finished.wait(1 if on_terminal else 10):
        print(progress(load.result), end="\r" if on_terminal else "\n", flush=True)


def options(arguments: Sequence[str], environment: "os._Environ[str] | dict[str, str]") -> Options:
    """What the command line asks for; addresses and secrets are where `make dev` or the edge's container has them."""
    parser = argparse.ArgumentParser(prog="make load ARGS=…", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=10, help="requests a second, at most 1000 (default: 10)")
    parser.add_argument("--seconds", type=float, default=60, help="how long, at most 3600 (default: 60)")
    parser.add_argument("--errors", type=float, default=0.02, help="the share that is wrong on purpose (default: 0.02)")
    parser.add_argument("--users", type=int, default=8, help="how many users call (default: 8)")
    parser.add_argument("--seed", type=int, default=1, help="what the requests are drawn from (default: 1)")
    parser.add_argument("--through-gateway", action="store_true", help="call as a client with a key, under its limits")
    parser.add_argument("--key", default="demo-key", help="the key for that (default: demo-key)")
    given = parser.parse_args(arguments)
    if not (0 < given.rate <= 1000 and 0 < given.seconds <= 3600 and 0 <= given.errors <= 1 and given.users > 0):
        parser.error("--rate up to 1000, --seconds up to 3600, --errors from 0 to 1, --users from 1 on")
    shared = {"rate": given.rate, "seconds": given.seconds, "error_share": given.errors}
    shared |= {"users": given.users, "seed": given.seed}
    if given.through_gateway:
        gateway = f"http://127.0.0.1:{environment.get('GATEWAY_PORT') or 8000}"
        return Options(gateway, {"x-api-key": given.key}, names_user=False, **shared)
    file = environment.get("MESH_TOKEN_FILE") or f"{environment.get('DATA_DIR') or '.data'}/secrets/mesh-token"
    try:
        token = Path(file).read_text().split()[0]
    except (OSError, IndexError):
        parser.error(f"there is no token in {file}: is `make dev` or `make up` running?")
    return Options(f"http://127.0.0.1:{environment.get('EDGE_PORT') or 8080}", {"X-Mesh-Token": token}, **shared)


def main(arguments: Sequence[str]) -> int:
    """Runs the load, says how it goes and what it was; status 1 when nothing has answered."""
    chosen = options(arguments, os.environ)
    load, finished = Load(chosen), threading.Event()
    running = threading.Thread(target=load.run)
    watching = threading.Thread(target=watch, args=(load, finished), daemon=True)
    print(f"{chosen.rate:g} requests a second for {chosen.seconds:g} s to {chosen.url}, seed {chosen.seed}", flush=True)
    running.start()
    watching.start()
    try:
        running.join()
    except KeyboardInterrupt:
        load.stop()
        running.join()
    finished.set()
    watching.join()
    print(summary(load.result))
    return int(set(load.result.statuses) <= {"none"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
