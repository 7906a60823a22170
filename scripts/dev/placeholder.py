"""Serves a page that says where to look, until there is a web application in its place."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PAGE = (Path(__file__).parents[2] / "kong" / "placeholder.html").read_bytes()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._head()
        self.wfile.write(_PAGE)

    def do_HEAD(self) -> None:
        self._head()

    def _head(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE)))
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing: the gateway writes a line for each request."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["WEB_PORT"])), _Handler).serve_forever()
