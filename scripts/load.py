"""`make load`: send requests at a steady rate, in a mix that resembles people at work, so that the dashboards move.

It calls the edge directly, past the gateway's rate limits; with `--through-gateway` it is a client like any other. One
file without dependencies, because `scripts/load` runs it inside the edge's container.
"""

import argparse
import http.client
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TASKS, NOTIFICATIONS = "/api/v1/tasks", "/api/v1/notifications"
MIX = {"list": 35, "get": 20, "create": 20, "update": 10, "notifications": 10, "delete": 5}  # percent
_WORKERS = 64
_TIMEOUT_SECONDS = 30.0
_EXPECTED = {"200", "201", "204", "404"}


@dataclass(frozen=True)
class Options:
    """The requests and their target. Without `names_user`, the gateway derives the user from the API key."""

    url: str
    headers: Mapping[str, str]
    rate: float = 10
    seconds: float = 60
    error_share: float = 0.02
    names_user: bool = True


class Load:
    """Sends each request when it is due, and counts the results. Each run sends the same requests."""

    def __init__(self, options: Options) -> None:
        self.statuses: Counter[str] = Counter()
        """The number of requests by status; `none` means no response."""
        self.unexpected = 0
        """The number of valid requests that failed."""
        self.stop = threading.Event()
        self._options = options
        self._host = options.url.removeprefix("http://")
        self._began = time.monotonic()
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._tasks: dict[str, list[str]] = defaultdict(list)
        self._lock = threading.Lock()

    def run(self) -> None:
        """Send all requests, or those due before `stop` is set, and wait for the responses."""
        draw, options = random.Random(1), self._options  # noqa: S311 (not for security)
        self._began = time.monotonic()
        with ThreadPoolExecutor(_WORKERS) as workers:
            for number in range(round(options.rate * options.seconds)):
                due = number / options.rate
                if self.stop.wait(max(0.0, self._began + due - time.monotonic())):
                    break
                if number and number % max(1, round(10 * options.rate)) == 0:
                    print(f"{due:5.0f} s   {dict(self.statuses)}", flush=True)
                kind, is_wrong = draw.choices(list(MIX), list(MIX.values()))[0], draw.random() < options.error_share
                workers.submit(self._send, due, kind, f"load-{draw.randrange(8)}", is_wrong, draw.random())

    def _send(self, due: float, kind: str, user: str, is_wrong: bool, pick: float) -> None:
        method, path, body = self._request(kind, self._tasks[user], is_wrong, pick)
        headers = {**self._options.headers, **({"X-Consumer-Username": user} if self._options.names_user else {})}
        if body is not None:
            headers["Content-Type"] = f"application/{'merge-patch+' if method == 'PATCH' else ''}json"
        status, created = "none", None
        try:
            with closing(http.client.HTTPConnection(self._host, timeout=_TIMEOUT_SECONDS)) as connection:
                connection.request(method, path, body and json.dumps(body), headers)
                response = connection.getresponse()
                status, content = str(response.status), response.read()
            created = json.loads(content)["id"] if status == "201" else None
        except (OSError, http.client.HTTPException, ValueError):
            pass
        with self._lock:
            # Measured from the due time: a server that hangs also delays the requests behind it.
            self._seconds[kind].append(time.monotonic() - self._began - due)
            self.statuses[status] += 1
            self.unexpected += not is_wrong and status not in _EXPECTED
            if created:
                self._tasks[user].append(created)

    def _request(self, kind: str, tasks: list[str], is_wrong: bool, pick: float) -> tuple[str, str, Any]:
        """Method, path and body. `pick`, from 0 to 1, selects one of the user's tasks."""
        if kind == "create":
            return "POST", TASKS, {"title": "" if is_wrong else "Buy milk"}
        if kind in ("list", "notifications"):
            return "GET", f"{TASKS if kind == 'list' else NOTIFICATIONS}?page_size={-1 if is_wrong else 20}", None
        with self._lock:
            place, task = int(pick * len(tasks)), "0" * 26
            if tasks and not is_wrong:
                task = tasks.pop(place) if kind == "delete" else tasks[place]
        method = {"get": "GET", "update": "PATCH", "delete": "DELETE"}[kind]
        return method, f"{TASKS}/{task}", {"status": "DONE"} if method == "PATCH" else None

    def summary(self) -> str:
        """Rates and latencies by kind, and the number of responses by status."""
        passed = time.monotonic() - self._began
        lines = [f"{'':15}{'requests':>9}{'rate':>9}{'p50':>10}{'p95':>10}{'p99':>10}"]
        everything = [seconds for values in self._seconds.values() for seconds in values]
        for kind, values in [*sorted(self._seconds.items()), ("all", everything)]:
            cuts = statistics.quantiles([*values, *values] or [0.0, 0.0], n=100, method="inclusive")
            times = "".join(f"{cuts[percent - 1] * 1000:7.0f} ms" for percent in (50, 95, 99))
            lines.append(f"{kind:15}{len(values):9}{len(values) / passed:7.1f}/s{times}")
        statuses = ", ".join(f"{count} of {status}" for status, count in sorted(self.statuses.items()))
        return "\n".join([*lines, f"responses: {statuses or 'none'}; unexpected: {self.unexpected}"])


def main(arguments: Sequence[str]) -> int:
    """Run the load and print the result. Return 1 if no request got a response, and 2 for a wrong option."""
    parser = argparse.ArgumentParser(prog="make load ARGS=…", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--rate", type=float, default=10, help="requests per second, at most 1000")
    parser.add_argument("--seconds", type=float, default=60, help="duration, at most 3600")
    parser.add_argument("--errors", type=float, default=0.02, help="share of invalid requests, from 0 to 1")
    parser.add_argument("--through-gateway", action="store_true", help="send the requests through the gateway")
    parser.add_argument("--key", default="demo-key", help="API key for --through-gateway")
    given = parser.parse_args(arguments)
    if not (0 < given.rate <= 1000 and 0 < given.seconds <= 3600 and 0 <= given.errors <= 1):
        parser.error("--rate, --seconds or --errors is out of range; see --help")
    port, headers = os.environ.get("GATEWAY_PORT") or "8000", {"x-api-key": given.key}
    if not given.through_gateway:
        file = os.environ.get("MESH_TOKEN_FILE") or f"{os.environ.get('DATA_DIR') or '.data'}/secrets/mesh-token"
        if not Path(file).is_file():
            parser.error(f"there is no mesh token in {file}; start the system: make dev, or make up")
        port, headers = os.environ.get("EDGE_PORT") or "8080", {"X-Mesh-Token": Path(file).read_text().split()[0]}
    url = f"http://127.0.0.1:{port}"
    load = Load(Options(url, headers, given.rate, given.seconds, given.errors, names_user=not given.through_gateway))
    print(f"{given.rate:g} requests per second for {given.seconds:g} s to {url}; Ctrl-C ends it early", flush=True)
    try:
        load.run()
    except KeyboardInterrupt:
        print("stopping", flush=True)
    print(load.summary())
    return int(set(load.statuses) <= {"none"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
