"""Builds the page for production, only if its sources have changed."""

import fcntl
import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests import ROOT

MOST_BYTES = 90_000
"""Maximum size of the compressed JavaScript of the first load."""

_WEB = ROOT / "web"
_MADE = {"node_modules", "build", ".svelte-kit", "generated"}


def built_page() -> Path:
    """Return the folder with the files that nginx serves. Concurrent processes build only once."""
    build = _WEB / "build"
    made_from = build / ".made-from"  # a build begins by removing it
    with (ROOT / ".cache" / "page.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = _fingerprint()
        if not made_from.exists() or made_from.read_text() != wanted:
            ran = subprocess.run([ROOT / "scripts/web", "build"], capture_output=True, text=True, timeout=300)
            assert ran.returncode == 0, ran.stdout + ran.stderr
            made_from.write_text(wanted)
    return build


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources(_WEB)):
        digest.update(str(path.relative_to(_WEB)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in _MADE:
            yield from _sources(path)
        elif path.is_file():
            yield path
