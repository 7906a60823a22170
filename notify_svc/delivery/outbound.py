"""One delivery attempt to an outside service: its connections, its result, and its cancellation.

`outbound_http` and `outbound_smtp` register connections; `apprise_channel` begins and cuts the call.
"""

import contextlib
import socket
import threading
from contextvars import ContextVar


class Call:
    """An attempt to deliver one event, in its own thread. `timeout_seconds` limits each single read or write.

    A server that sends a byte from time to time never exceeds that limit: only `cut` ends such a call.
    """

    def __init__(self, event_id: str, timeout_seconds: float) -> None:
        self.event_id = event_id
        self.timeout_seconds = timeout_seconds
        self.problem = ""
        """The description of the last error. It never contains text from the remote server."""
        self.retry_after_seconds: float | None = None
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._is_over = False

    def watch(self, connection: socket.socket) -> None:
        """Register a connection, so that `cut` closes it."""
        duplicate = connection.dup()  # TLS detaches the file descriptor from the original socket
        with self._lock:
            self._connections.append(duplicate)
            is_over = self._is_over
        if is_over:
            self.cut()

    def cut(self) -> None:
        """Shut down all connections, from any thread. A thread that waits for one gets an error immediately."""
        with self._lock:
            self._is_over = True
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError), connection:
                connection.shutdown(socket.SHUT_RDWR)


_current: ContextVar[Call] = ContextVar("call")


def begin(call: Call) -> None:
    """Set the call of the current thread."""
    _current.set(call)


def current() -> Call:
    """Return the call of the current thread. Raises LookupError if there is none."""
    return _current.get()
