"""Serves the metrics of Kong and the exporters from monitoring/samples/, with counters that grow at each scrape."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests import ROOT

_FOLDER = ROOT / "monitoring/samples"
NAMES = ("kong", "redis", "mongodb")


@dataclass(frozen=True)
class Sample:
    """One sample of a metrics page."""

    name: str
    labels: str
    value: float
    grows: bool

    def after(self, scrapes: int) -> str:
        """Return the line after a number of scrapes."""
        return f"{self.name}{self.labels} {self.value * (scrapes if self.grows else 1)}"


@cache
def page(name: str) -> tuple[Sample, ...]:
    """Return the samples of a page. (prometheus-client's parser would rename counters that do not end in _total.)"""
    found, kind = [], ""
    for line in (_FOLDER / f"{name}.txt").read_text().splitlines():
        if line.startswith("# TYPE "):
            kind = line.split()[-1]
        elif not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            metric, brace, labels = series.partition("{")
            found.append(Sample(metric, brace + labels, float(value), kind in ("counter", "histogram")))
    return tuple(found)


@contextmanager
def samples() -> Iterator[dict[str, int]]:
    """Serve each page on its own port, at any path; yield the ports by name."""
    servers = {name: _server(name) for name in NAMES}
    for server in servers.values():
        threading.Thread(target=server.serve_forever).start()
    try:
        yield {name: server.server_port for name, server in servers.items()}
    finally:
        for server in servers.values():
            server.shutdown()
            server.server_close()


def _server(name: str) -> ThreadingHTTPServer:
    scrapes = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            number = next(scrapes)
            self.wfile.write("".join(f"{sample.after(number)}\n" for sample in page(name)).encode())

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
