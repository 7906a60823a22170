"""Injects faults into the containers of `make up`."""

import os
import subprocess
import threading
from pathlib import Path

from scripts.drill.drills import DrillError

_SCRIPT = Path(__file__).with_name("block_writes.js")
_XADD = (
    "REDISCLI_AUTH=$(cat /run/secrets/redis-task-password) "
    "redis-cli --user task_svc XADD task-events '*' id drill:1:created event broken"
)
_NEVER = threading.Event()


class ComposeInjector:
    """The `FaultInjector` for containers; `scripts` is the folder with the scripts compose and run-once."""

    def __init__(self, scripts: Path) -> None:
        self._scripts = scripts

    def block_writes(self, blocked: float, free: float, stop: threading.Event) -> None:
        """Use MongoDB's `fsyncLock`, in a shell that ends by itself after an hour."""
        name = f"{os.environ.get('COMPOSE_PROJECT_NAME') or 'taskmesh'}-drill"
        try:
            self._mongosh(name, int(3600 / (blocked + free)), blocked, free, stop)
        finally:
            # The shell may have ended while it held the lock.
            self._mongosh(f"{name}-undo", 0, 0, 0)

    def freeze_notifier(self, stop: threading.Event) -> None:
        """Pause its container."""
        try:
            self._run("compose", "pause", "notify-svc")
            stop.wait()
        finally:
            self._run("compose", "unpause", "notify-svc")

    def publish_malformed_event(self) -> None:
        """Publish as `task_svc`, the Redis user that may publish."""
        self._run("compose", "exec", "--no-TTY", "redis", "sh", "-c", _XADD)

    def _mongosh(self, name: str, rounds: int, blocked: float, free: float, stop: threading.Event = _NEVER) -> None:
        numbers = f"const ROUNDS = {rounds}, HELD_MS = {blocked * 1000:g}, FREE_MS = {free * 1000:g};"
        shell = ("--entrypoint", "mongosh", "mongo-init", "--quiet", "--norc", "--nodb", "--eval")
        self._run("run-once", name, *shell, f"{numbers}\n{_SCRIPT.read_text()}", stop=stop)

    def _run(self, script: str, *arguments: str, stop: threading.Event = _NEVER) -> None:
        """Run a script until it ends or until `stop`, out of reach of Ctrl-C. Raise DrillError if it fails."""
        command, null = [f"{self._scripts}/{script}", *arguments], subprocess.DEVNULL
        # Not on the terminal, because Compose names the container there.
        child = subprocess.Popen(command, stdin=null, stdout=null, stderr=subprocess.PIPE, start_new_session=True)
        while child.poll() is None and not stop.wait(0.05):
            pass
        child.terminate()
        _, errors = child.communicate()
        if child.returncode != 0 and not stop.is_set():
            msg = f"scripts/{script} {' '.join(arguments[:2])} failed: {errors.decode().strip()}"
            raise DrillError(msg)
