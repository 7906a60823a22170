"""A disk that refuses to let SQLite's log grow, as a full disk does."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.testing import capture_logs


@contextmanager
def full_disk(database: Path) -> Iterator[None]:
    """Let no file of this process become larger than the log of the database is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with capture_logs():  # stdout may be a file too
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database}-wal").stat().st_size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
