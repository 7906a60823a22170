"""The secrets that the gateway and the edge share, made once and kept with the data."""

import os
import secrets
from pathlib import Path

_NAMES = ("mesh-token", "kong-session-secret")


def make(directory: Path) -> Path:
    """Makes the files that are not there yet, readable by their owner alone; gives their folder."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _NAMES:
        unfinished = directory / f".{name}"
        if not (directory / name).exists():
            # Moved into place when it is whole: an interrupted start leaves no half of a secret.
            unfinished.unlink(missing_ok=True)
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
            unfinished.rename(directory / name)
    return directory
