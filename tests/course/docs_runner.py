"""Run the commands of documentation pages in one shell, against one running system.

Pages show the default ports and the folder `.data`. The runner uses other ports and another folder, and replaces them
in commands and output.
"""

import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.dev.settings import PORTS
from scripts.docs_check import console
from scripts.docs_check.console import Block, Step
from tests import ROOT
from tests.support.ports import free_port
from tests.support.stack.dev_runner import DevRunner, running

_START = "make dev"
_MORE = (50061, 9111)
"""The ports of processes that a page starts in addition to `make dev`."""
_COMMAND_SECONDS = 120.0
_LINE_SECONDS = 15.0


class Differs(AssertionError):
    """A command did not end within its time limit, or the shell ended."""


class DocsRunner:
    """Run the commands of pages, and read their output."""

    def __init__(self, dev: DevRunner, shell: subprocess.Popen[str], data: Path) -> None:
        self._dev = dev
        self._shell = shell
        self._data = data
        self._ports = {PORTS[name]: port for name, port in dev.ports.items()} | {port: free_port() for port in _MORE}
        self._seen = 0
        self._has_started = False
        self._commands = 0

    def begin(self) -> None:
        """Start a page. The system already runs, so its first `make dev` yields the output of the startup."""
        self._type(f"cd {ROOT}")
        self._seen = 0
        self._has_started = False

    def follow(self, block: Block) -> Iterator[str]:
        """Run a block; yield the output of each step, with the ports and paths of the page."""
        for step in block.steps:
            if step.command and (step.command != _START or self._has_started):
                yield self._as_in_the_page(self._type(self._as_here(step.command)))
            else:
                self._has_started = self._has_started or step.command == _START
                yield self._watch(step)

    def _watch(self, step: Step) -> str:
        """Wait for the lines of a step in the output of `make dev` that has not been read yet."""
        deadline = time.monotonic() + _LINE_SECONDS
        while True:
            lines = self._as_in_the_page(self._dev.output).splitlines()[self._seen :]
            if console.is_in(step.expected, lines):
                self._seen += len(lines)
                return "\n".join(step.expected)
            if time.monotonic() > deadline:
                self._seen += len(lines)
                return "\n".join(lines)
            time.sleep(0.05)

    def _type(self, command: str) -> str:
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._commands += 1
        mark = f"<end of command {self._commands}>"
        self._shell.stdin.write(f"{{\n{command}\n}} </dev/null\nprintf '\\n%s\\n' '{mark}'\n")
        self._shell.stdin.flush()
        written = b""
        deadline = time.monotonic() + _COMMAND_SECONDS
        while f"\n{mark}\n".encode() not in written:
            ready, _, _ = select.select([self._shell.stdout], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(self._shell.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                msg = f"no end within {_COMMAND_SECONDS:g} s of: {command}\n{written.decode(errors='replace')}"
                raise Differs(msg)
            written += chunk
        return written.decode(errors="replace").partition(f"\n{mark}\n")[0]

    def _as_here(self, text: str) -> str:
        for port, here in self._ports.items():
            text = re.sub(rf"(?<=[:= ]){port}\b", str(here), text)
        return re.sub(r"(?<!\w)\.data\b", str(self._data), text)

    def _as_in_the_page(self, text: str) -> str:
        for port, here in self._ports.items():
            text = re.sub(rf"(?<![\d.]){here}\b", str(port), text)
        return text.replace(str(self._data), ".data").replace(f"{ROOT}/", "")


@contextmanager
def docs_runner(folder: Path) -> Iterator[DocsRunner]:
    """Start the system with empty stores, and a shell in the checkout."""
    data = folder / "data"
    with running(data, cwd=ROOT, variables={"LOG_FORMAT": "pretty"}) as dev:
        dev.wait_for("Taskmesh is up")
        ports = {name: str(port) for name, port in dev.ports.items()}
        environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
        shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=ROOT,
            env={
                **environment,
                **ports,
                "DATA_DIR": str(data),
                "NO_COLOR": "1",
                "COLUMNS": "120",
                "LC_ALL": "C.UTF-8",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield DocsRunner(dev, shell, data)
        finally:
            assert shell.stdin is not None
            shell.stdin.close()
            try:
                shell.wait(5)
            finally:
                shell.kill()
                assert shell.stdout is not None
                shell.stdout.close()


def rehearse(text: str, follow: Callable[[Block], Iterator[str]]) -> tuple[str, list[str]]:
    """Follow a page from top to bottom; return its text with the actual output, and the differences."""
    differences: list[str] = []
    shift = 0
    made = text
    for block in console.blocks(text):
        if block.not_run is not None:
            continue
        actual = list(follow(block))
        wrong = [
            _difference(step, each) for step, each in zip(block.steps, actual, strict=True) if not _fits(step, each)
        ]
        differences += wrong
        if wrong:
            moved = Block(block.start + shift, block.end + shift, block.steps, None)
            kept = [_shown(step) if _fits(step, each) else each for step, each in zip(block.steps, actual, strict=True)]
            longer = console.rewritten(made, moved, kept)
            shift += len(longer) - len(made)
            made = longer
    return made, differences


def _fits(step: Step, actual: str) -> bool:
    if not step.command or actual == _shown(step):
        return actual == _shown(step)
    return console.matches(step.expected, actual)


def _shown(step: Step) -> str:
    return "\n".join(step.expected)


def _difference(step: Step, actual: str) -> str:
    return f"$ {step.command or '(make dev)'}\n-- the page shows:\n{_shown(step)}\n-- it wrote:\n{actual}\n"


def run_steps(blocks: Sequence[Block]) -> int:
    """Return the number of commands that are run and compared."""
    return sum(bool(step.command) for block in blocks if block.not_run is None for step in block.steps)
