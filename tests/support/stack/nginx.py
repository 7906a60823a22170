"""Runs a real nginx with the configuration of the page's container."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import ROOT
from tests.support.ports import free_port

_CONFIGURATION = ROOT / "compose/web/nginx.conf"


@contextmanager
def nginx(pages: Path, folder: Path) -> Iterator[int]:
    """Serve the files in `pages` while the block runs; yield the port. nginx's own files are in `folder`."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "nginx is not installed; scripts/browser-deps installs Debian's package"
    port = free_port()
    text = _CONFIGURATION.read_text()
    for inside, outside in (
        ("/tmp/", f"{folder}/"),
        ("/dev/stdout", f"{folder}/access.log"),
        ("/srv/page", str(pages)),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
    ):
        assert inside in text
        text = text.replace(inside, outside)
    (folder / "nginx.conf").write_text(text)
    # A single process: it keeps the current user, even root, and no worker remains if it is killed.
    own = ("-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"))
    command = [program, *own, "-g", "master_process off;"]
    with (folder / "error.log").open("w") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        _wait_for(port, process, folder / "error.log")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=2, trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.02)
