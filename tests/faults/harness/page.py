"""`make faults`: runs the tests of every row and writes docs/reference/faults.md from what they saw.

ARGS may name the JUnit reports of runs that were made already.
"""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.harness.rows import TESTS, Row, rows

PAGE = TESTS.parent / "docs" / "reference" / "faults.md"

_HEAD = """# What the system survives

Written by `make faults` from a run of the tests; not by hand. Each row says what was done to the system, what was seen,
and whether that proves it. A row is *proven in part* where what it names last needs parts that one machine does not
have. After each fault `tests/faults/harness/checker.py` checks the same: nothing acknowledged is lost, nothing is told
twice, nothing is silent, all comes to rest by itself.
"""


@dataclass
class Run:
    """What a run of the tests has seen: of each row, of the naive variant, and which tests could not run here."""

    seen: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    naive: list[str] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def take(self, name: str, value: str) -> None:
        """Takes what a test recorded: the rows stand before what is told of them."""
        if name == "naive":
            self.naive.append(value)
        elif name == "fault" and (found := _TOLD_OF.match(value)):
            for row in found["rows"].split(", "):
                self.seen[row].append(found["seen"])


def written(all_rows: Iterable[Row], run: Run) -> str:
    """The page, from what a run has seen."""
    all_rows = list(all_rows)
    counts = [(standing, sum(row.standing == standing for row in all_rows)) for standing in _STANDINGS]
    lines = [_HEAD, "Of {} rows: {}.\n".format(len(all_rows), ", ".join(f"{count} {name}" for name, count in counts))]
    lines += [f"Slowest to recover: {', '.join(_slowest(all_rows, run))}."]
    for part, group in groupby(all_rows, lambda row: row.part):
        lines += [f"\n## {part}\n", "| row | what was done | what was seen | standing |", "|---|---|---|---|"]
        lines += [_line(row, run) for row in group]
    lines += [
        "\n## Without an outbox\n",
        "The same faults, with a task service that stores, then pushes (`tests/faults/naive/`). It loses silently.\n",
        "| what was done | with the outbox | naive |",
        "|---|---|---|",
        *_side_by_side(run.naive),
    ]
    return "\n".join(lines) + "\n"


_TOLD_OF = re.compile(r"(?P<rows>[A-F]\d+(?:, [A-F]\d+)*) +(?P<seen>.*)")
_RECOVERED = re.compile(r"(?:at rest|again|the last) after ([\d.]+) s")
_SLOWEST = 3
_STANDINGS = ("proven", "proven in part", "not proven here")


def standing_of(row: Row) -> str:
    """A row's standing, with what is missing to prove all of it."""
    return f"{row.standing}; needs {row.needs}" if row.needs else row.standing


def _slowest(all_rows: Iterable[Row], run: Run) -> list[str]:
    times = [(float(s), row) for row in all_rows for seen in run.seen[row.id] for s in _RECOVERED.findall(seen)]
    of_row = {row.id: (seconds, row) for seconds, row in sorted(times, key=itemgetter(0))}
    slowest = nlargest(_SLOWEST, of_row.values(), key=itemgetter(0))
    return [f"{row.id} after {seconds:g} s ({row.what})" for seconds, row in slowest]


def _line(row: Row, run: Run) -> str:
    found = "<br>".join(run.seen.get(row.id) or [_in_words(test, run) for test in row.tests]) or "nothing"
    return f"| {row.id} | {row.what} | {found} | {standing_of(row)} |"


def _in_words(test: str, run: Run) -> str:
    name = test.rpartition("::")[2]
    promise = name.removeprefix("test_").replace("_", " ")
    return f"{promise} (not run here)" if name in run.skipped else promise


def _side_by_side(naive: Iterable[str]) -> list[str]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for line in naive:
        injected, who, lost = line.split(" | ")
        found[injected][who] = lost
    return [f"| {injected} | {of['with the outbox']} | {of['naive']} |" for injected, of in sorted(found.items())]


def recorded(reports: Iterable[Path]) -> Run:
    """What runs wrote into their JUnit reports; of a test that was run twice the last counts."""
    cases: dict[str, ElementTree.Element] = {}
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            cases[f"{case.get('classname')}::{case.get('name')}"] = case
    run = Run()
    for name, case in cases.items():
        if case.find("failure") is not None or case.find("error") is not None:
            run.failed.append(name)
        if case.find("skipped") is not None:
            run.skipped.add(case.get("name", "").partition("[")[0])
        for each in case.iter("property"):
            run.take(each.get("name", ""), each.get("value", ""))
    return run


def main(reports: Sequence[Path]) -> int:
    """Writes the page from the reports of runs, or from that of one made now; not when a test has failed."""
    all_rows = rows()
    with TemporaryDirectory() as directory:
        run = recorded(reports or _run(all_rows, Path(directory)))
    if run.failed:
        print("\n".join(["Not written, for these failed:", *run.failed]))
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(written(all_rows, run))
    return 0


def _run(all_rows: Iterable[Row], directory: Path) -> list[Path]:
    """Those of minutes one at a time, as `make test-faults` does: what they measure is the machine's."""
    tests = ["tests/faults/naive", *dict.fromkeys(f"tests/{test}" for row in all_rows for test in row.tests)]
    passes = {
        "quick.xml": ["-n", "2", "-m", "not faults and not browser"],
        "browser.xml": ["-m", "browser"],
        "minutes.xml": ["-m", "faults"],
    }
    for report, how in passes.items():
        written_as = ["-o", "junit_family=xunit1", f"--junitxml={directory / report}"]
        subprocess.run([sys.executable, "-m", "pytest", "-q", *written_as, *how, *tests], cwd=TESTS.parent, check=False)
    return [directory / report for report in passes]


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
