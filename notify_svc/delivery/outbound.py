"""One call to the outside: what it has opened, how it was answered, and its end.

`outbound_http` and `outbound_smtp` open connections for it; `apprise_channel` begins and cuts it.
"""

import contextlib
import socket
import threading
from contextvars import ContextVar


class Call:
    """An attempt to deliver one event, in a thread of its own; `timeout_seconds` bounds every wait of it.

    A server that sends a byte now and then never lets a wait run out: only `cut` ends that.
    """

    def __init__(self, event_id: str, timeout_seconds: float) -> None:
        self.event_id = event_id
        self.timeout_seconds = timeout_seconds
        self.problem = ""
        """What went wrong last, in plain words: never what the other side has sent."""
        self.retry_after_seconds: float | None = None
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._is_over = False

    def watch(self, connection: socket.socket) -> None:
        """Ties a connection to the call, so that it ends with it."""
        twin = connection.dup()  # TLS takes the handle out of the socket that it is given
        with self._lock:
            self._connections.append(twin)
            is_over = self._is_over
        if is_over:
            self.cut()

    def cut(self) -> None:
        """Ends every connection, from any thread: who waits for one of them is told at once."""
        with self._lock:
            self._is_over = True
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError), connection:
                connection.shutdown(socket.SHUT_RDWR)


_current: ContextVar[Call] = ContextVar("call")


def begin(call: Call) -> None:
    """Makes a call that of the current thread."""
    _current.set(call)


def current() -> Call:
    """The call of the current thread. Raises LookupError outside one."""
    return _current.get()
