"""The hands that reach into the containers of `make up`, by way of scripts/compose."""

import subprocess
import threading
from pathlib import Path

_HOLD = Path(__file__).with_name("hold.js")
_LONGEST_SECONDS = 3600
_XADD = (
    "REDISCLI_AUTH=$(cat /run/secrets/redis-task-password) "
    "redis-cli --user task_svc XADD task-events '*' id drill:1:created event broken"
)


class ComposeHands:
    """The containers of this checkout; `compose` is the script that speaks to them."""

    def __init__(self, compose: Path) -> None:
        self._compose = str(compose)

    def hold_writes(self, held: float, free: float, stop: threading.Event) -> None:
        """See `FaultInjector`: MongoDB's own lock for backups, taken in turns by a shell beside it."""
        rounds = int(_LONGEST_SECONDS / (held + free))
        holding = subprocess.Popen(self._mongosh(rounds, held, free), stdout=subprocess.DEVNULL)
        try:
            while holding.poll() is None and not stop.wait(0.2):
                pass
        finally:
            holding.terminate()
            holding.wait(30)
            # Ended in the middle of a turn, it would leave the lock behind.
            subprocess.run(self._mongosh(0, 0, 0), check=True, stdout=subprocess.DEVNULL)

    def freeze_notifier(self) -> None:
        """See `FaultInjector`."""
        self._run("pause", "notify-svc")

    def thaw_notifier(self) -> None:
        """See `FaultInjector`."""
        self._run("unpause", "notify-svc")

    def poison(self) -> None:
        """See `FaultInjector`."""
        self._run("exec", "--no-TTY", "redis", "sh", "-c", _XADD)

    def _mongosh(self, rounds: int, held: float, free: float) -> list[str]:
        numbers = f"const ROUNDS = {rounds}, HELD_MS = {held * 1000:g}, FREE_MS = {free * 1000:g};"
        shell = ("--entrypoint", "mongosh", "mongo-init", "--quiet", "--norc", "--nodb", "--eval")
        return [self._compose, "run", "--rm", "--no-deps", "--no-TTY", *shell, f"{numbers}\n{_HOLD.read_text()}"]

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._compose, *arguments], check=True, stdout=subprocess.DEVNULL)
