"""A stand-in for a MongoDB primary with users: nx-27017 has neither users nor replica sets."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bson

_HEADER = struct.Struct("<iiii")
_OP_REPLY, _OP_MSG = 1, 2013
_HELLO = {"ok": 1, "isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": 21}
_REFUSED = {"ok": 0, "errmsg": "Authentication failed.", "code": 18, "codeName": "AuthenticationFailed"}
_UNAUTHORIZED = {"ok": 0, "code": 13, "codeName": "Unauthorized"}


class RefusingPrimary(socketserver.ThreadingTCPServer):
    """The primary of the replica set `rs0`; it accepts no password, and no command from a client without a user."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.address = f"127.0.0.1:{self.server_address[1]}"
        self.refused = 0
        """How many passwords it has refused."""

    def reply(self, command: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a command."""
        name = next(iter(command))
        if name in ("hello", "ismaster"):
            return {**_HELLO, "setName": "rs0", "hosts": [self.address], "me": self.address}
        if name == "saslStart":
            self.refused += 1
            return {**_REFUSED, "$clusterTime": self.refused}  # like mongod, never the same reply twice
        if name in ("ping", "buildinfo"):
            return {"ok": 1, "version": "8.0.0"}
        return {**_UNAUTHORIZED, "errmsg": f"Command {name} requires authentication"}


class _Connection(socketserver.StreamRequestHandler):
    server: RefusingPrimary

    def handle(self) -> None:
        while header := self.rfile.read(_HEADER.size):
            length, request, _, code = _HEADER.unpack(header)
            body = self.rfile.read(length - _HEADER.size)
            if code == _OP_MSG:
                reply = bytes(5) + bson.encode(self.server.reply(bson.decode(body[5:])))
                reply_code = _OP_MSG
            else:  # OP_QUERY: the first `hello` of a connection
                command = body[body.index(b"\0", 4) + 9 :]
                reply = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(self.server.reply(bson.decode(command)))
                reply_code = _OP_REPLY
            self.wfile.write(_HEADER.pack(_HEADER.size + len(reply), 0, request, reply_code) + reply)


@contextmanager
def refusing_primary() -> Iterator[RefusingPrimary]:
    """Yield a running server, and stop it at the end."""
    with RefusingPrimary() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
