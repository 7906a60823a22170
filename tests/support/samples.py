"""What Kong and the exporters say, played from monitoring/samples/ with counters that grow at each scrape."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

_FOLDER = Path(__file__).parents[2] / "monitoring/samples"
NAMES = ("kong", "redis", "mongodb")


@cache
def families(name: str) -> tuple[Metric, ...]:
    """The metrics on one page."""
    return tuple(text_string_to_metric_families((_FOLDER / f"{name}.txt").read_text()))


def _page(name: str, scrapes: int) -> str:
    lines = []
    for family in families(name):
        is_counted = family.type in ("counter", "histogram")
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            lines.append(f"{sample.name}{{{labels}}} {sample.value * (scrapes if is_counted else 1)}")
    return "\n".join(lines) + "\n"


@contextmanager
def samples() -> Iterator[dict[str, int]]:
    """Serves every page, whatever the path; gives the port of each."""
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
            self.wfile.write(_page(name, next(scrapes)).encode())

        def log_message(self, *_: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
