"""Keeps the write-ahead log small, although readers are always open.

SQLite checkpoints after each commit, but it starts the log anew only when no reader uses it. Under constant reads the
log would grow without limit. So the writer waits for the readers, briefly, while the log is too large.
"""

import sqlite3
import time
from pathlib import Path

import structlog

_log = structlog.get_logger("store")

LIMIT_BYTES = 8 * 1024 * 1024
"""Size to which SQLite truncates the log when it starts anew."""
_FIRST_WAIT_MS, _LONGEST_WAIT_MS = 100, 800  # for the readers; writes wait too
_PAUSE_FACTOR = 2  # of the wait
_LONG_PAUSE_FACTOR = 20  # while one reader, such as another process, keeps an old state of the file


class WriteAheadLog:
    """The log of the database at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = Path(f"{path}-wal")
        self._wait_ms = _FIRST_WAIT_MS
        self._next_attempt = 0.0
        self._checkpointed = 0

    def limit(self, connection: sqlite3.Connection) -> None:
        """Checkpoint if the log is too large, so that the next write starts it anew."""
        if time.monotonic() < self._next_attempt or self._size() <= LIMIT_BYTES:
            return
        (timeout,) = connection.execute("PRAGMA busy_timeout").fetchone()
        try:
            connection.execute(f"PRAGMA busy_timeout = {self._wait_ms}")
            is_busy, _, checkpointed = connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        except sqlite3.Error as error:  # the next write reports a disk that is full or fails
            _log.warning("checkpoint failed", error=f"{type(error).__name__}: {error}")
            is_busy, checkpointed = True, self._checkpointed
        finally:
            connection.execute(f"PRAGMA busy_timeout = {timeout}")
        if is_busy:
            factor = _PAUSE_FACTOR if checkpointed > self._checkpointed else _LONG_PAUSE_FACTOR
            self._next_attempt = time.monotonic() + factor * self._wait_ms / 1000
            self._wait_ms, self._checkpointed = min(2 * self._wait_ms, _LONGEST_WAIT_MS), checkpointed
        else:
            self._wait_ms, self._checkpointed = _FIRST_WAIT_MS, 0

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0
