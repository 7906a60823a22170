"""Secrets that are kept in files, so that neither a process's environment nor `docker inspect` shows them."""

from pathlib import Path


def read_secret(path: Path | None) -> str | None:
    """The secret in a file, without the blanks around it; None without a path.

    Raises ValueError where the file is empty, OSError where it cannot be read.
    """
    if path is None:
        return None
    secret = path.read_text(encoding="utf-8").strip()
    if not secret:
        msg = f"{path} is empty"
        raise ValueError(msg)
    return secret
