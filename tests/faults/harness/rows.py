"""The rows of `rows.toml`: each fault with the tests that prove that the system survives it."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests import ROOT

_FILE = Path(__file__).with_name("rows.toml")
TESTS = ROOT / "tests"


@dataclass(frozen=True)
class Row:
    """A fault. `needs` is a part of the test environment that one machine does not have."""

    id: str
    part: str
    fault: str
    tests: tuple[str, ...] = field(default=())
    needs: str = ""

    @property
    def status(self) -> str:
        if not self.needs:
            return "proven"
        return "partly proven" if self.tests else "not proven"


def rows() -> list[Row]:
    """Return all rows in order."""
    parts = tomllib.loads(_FILE.read_text())
    return [
        Row(id, part["title"], given["fault"], tuple(given["tests"]), given.get("needs", ""))
        for part in parts.values()
        for id, given in part.items()
        if id != "title"
    ]
