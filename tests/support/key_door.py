"""A door before the edge that knows keys and nothing else, in Kong's place where a test only has to get in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from kong import rendered


@contextmanager
def door(edge: str, secrets: Path) -> Iterator[str]:
    """Lets those of kong.yml and the demo users in who show a key; yields where, as host:port."""
    users = rendered.read(secrets, "development")["consumers"]
    names = {key["key"]: user["username"] for user in users for key in user.get("keyauth_credentials", ())}
    token = (secrets / "mesh-token").read_text()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = names.get(self.headers["x-api-key"])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if name is None:
                self.send_error(401)
                return
            headers = {"X-Mesh-Token": token, "X-Consumer-Username": name, "Content-Type": self.headers["Content-Type"]}
            answer = httpx.post(f"{edge}{self.path}", headers=headers, content=body, trust_env=False, timeout=10)
            self.send_response(answer.status_code)
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
