"""The secrets that the gateway and the edge share. They are created once and kept with the data."""

import os
import secrets
from pathlib import Path

_NAMES = ("mesh-token", "kong-session-secret")


def make(directory: Path) -> Path:
    """Create the missing files, readable by their owner only. Return their folder."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _NAMES:
        unfinished = directory / f".{name}"
        if not (directory / name).exists():
            # Renamed when complete: an interrupted start leaves no partial secret.
            unfinished.unlink(missing_ok=True)
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
            unfinished.rename(directory / name)
    return directory
