"""Stand-ins for the services and the page's server, for tests of the runner. They start fast and fail on request."""

from pathlib import Path

from scripts.dev.parts import VITE
from scripts.dev.services import GRPC_SERVICES

_SERVICE = """
import asyncio, os, signal, sys

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

async def main(name, service):
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    await servicer.set(service, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{os.environ[name + '_GRPC_PORT']}")
    await server.start()
    await done.wait()
    await server.stop(0)
    print("stand-in drained", flush=True)
"""
_EDGE = """
import http.server, os, signal, sys

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

def stop(*_):
    print("stand-in drained", flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, stop)
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["EDGE_PORT"])), Ready)
"""
# It exits with the same status as Vite.
_VITE = """
process.on('SIGTERM', () => process.exit(143));
require('http').createServer((_, answer) => answer.end('page')).listen(process.env.WEB_PORT, '127.0.0.1');
"""


def put_stand_ins(folder: Path, *, edge: str = "") -> Path:
    """Write stand-in packages for the services and a server for the page into `folder`, and return it.

    `edge` is code that the edge runs before it serves.
    """
    for each in GRPC_SERVICES:
        _put(folder / each.name, f'{_SERVICE}asyncio.run(main("{each.variables}", "{each.serves}"))\n')
    _put(folder / "edge_api", f"{_EDGE}{edge}\nserver.serve_forever()\n")
    (folder / VITE).parent.mkdir(parents=True)
    (folder / VITE).write_text(_VITE)
    return folder


def _put(package: Path, main: str) -> None:
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(main)
