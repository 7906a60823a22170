"""The rows of `rows.toml`: what the system must survive, and what proves that it does."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests import ROOT

_FILE = Path(__file__).with_name("rows.toml")
TESTS = ROOT / "tests"


@dataclass(frozen=True)
class Row:
    """A fault; `needs` names what of it cannot be injected on one machine."""

    id: str
    part: str
    what: str
    tests: tuple[str, ...] = field(default=())
    needs: str = ""

    @property
    def standing(self) -> str:
        if not self.needs:
            return "proven"
        return "proven in part" if self.tests else "not proven here"


def rows() -> list[Row]:
    """All of them, in order."""
    parts = tomllib.loads(_FILE.read_text())
    return [
        Row(id, part["title"], given["what"], tuple(given["tests"]), given.get("needs", ""))
        for part in parts.values()
        for id, given in part.items()
        if id != "title"
    ]
