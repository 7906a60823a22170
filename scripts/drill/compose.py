"""Injects faults into the containers of `make up`."""

import subprocess
import threading
from pathlib import Path

_SCRIPT = Path(__file__).with_name("block_writes.js")
_LONGEST_SECONDS = 3600
_XADD = (
    "REDISCLI_AUTH=$(cat /run/secrets/redis-task-password) "
    "redis-cli --user task_svc XADD task-events '*' id drill:1:created event broken"
)


class ComposeInjector:
    """The `FaultInjector` for containers; `compose` is the path of scripts/compose."""

    def __init__(self, compose: Path) -> None:
        self._compose = str(compose)

    def block_writes(self, blocked: float, free: float, stop: threading.Event) -> None:
        """Use MongoDB's `fsyncLock`, in a shell that ends by itself after an hour."""
        rounds = int(_LONGEST_SECONDS / (blocked + free))
        blocking = subprocess.Popen(self._mongosh(rounds, blocked, free), stdout=subprocess.DEVNULL)
        try:
            while blocking.poll() is None and not stop.wait(0.2):
                pass
        finally:
            blocking.terminate()
            blocking.wait(30)
            # The shell may have ended while it held the lock.
            subprocess.run(self._mongosh(0, 0, 0), check=True, stdout=subprocess.DEVNULL)

    def freeze_notifier(self, stop: threading.Event) -> None:
        """Pause its container."""
        self._run("pause", "notify-svc")
        try:
            stop.wait()
        finally:
            self._run("unpause", "notify-svc")

    def publish_malformed_event(self) -> None:
        """Publish as `task_svc`, the Redis user that may publish."""
        self._run("exec", "--no-TTY", "redis", "sh", "-c", _XADD)

    def _mongosh(self, rounds: int, blocked: float, free: float) -> list[str]:
        numbers = f"const ROUNDS = {rounds}, HELD_MS = {blocked * 1000:g}, FREE_MS = {free * 1000:g};"
        shell = ("--entrypoint", "mongosh", "mongo-init", "--quiet", "--norc", "--nodb", "--eval")
        return [self._compose, "run", "--rm", "--no-deps", "--no-TTY", *shell, f"{numbers}\n{_SCRIPT.read_text()}"]

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._compose, *arguments], check=True, stdout=subprocess.DEVNULL)
