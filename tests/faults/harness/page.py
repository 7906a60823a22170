"""`make faults`: runs the tests of every row and generates docs/reference/faults.md from their results.

ARGS can name JUnit reports of earlier runs; then no test is run.
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

_HEAD = """# Fault tests

`make faults` runs these tests and generates this page. Each row shows a fault and the result of its tests: what they
measured, or what they assert. A row is *partly proven* if a part of it needs an environment that one machine does not
have. After each fault, `tests/faults/harness/checker.py` checks the same invariants: no acknowledged task is lost, no
task is notified twice, every dead letter is counted and logged, and the system recovers without intervention.

*Unknown* counts creates with a 5xx response, a broken connection or a timeout. *Drained after* is the time until the
outbox, the stream and the pending entries are empty.
"""


@dataclass
class Run:
    """The results of a test run, by row and for the naive variant; the skipped and the failed tests."""

    results: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    naive: list[str] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    failed: list[str] = field(default_factory=list)

    def add(self, name: str, value: str) -> None:
        """Add a recorded property. For a fault, its value is the row IDs followed by the result."""
        if name == "naive":
            self.naive.append(value)
        elif name == "fault" and (found := _RESULT.match(value)):
            for row in found["rows"].split(", "):
                self.results[row].append(found["result"])


def page(all_rows: Iterable[Row], run: Run) -> str:
    """Return the page for the results of a run."""
    all_rows = list(all_rows)
    counts = [(status, sum(row.status == status for row in all_rows)) for status in _STATUSES]
    lines = [_HEAD, "Of {} rows: {}.\n".format(len(all_rows), ", ".join(f"{count} {name}" for name, count in counts))]
    lines += [f"Slowest recoveries: {', '.join(_slowest(all_rows, run))}."]
    for part, group in groupby(all_rows, lambda row: row.part):
        lines += [f"\n## {part}\n", "| row | fault | result | status |", "|---|---|---|---|"]
        lines += [_line(row, run) for row in group]
    lines += [
        "\n## Without an outbox\n",
        "The same faults with a task service without an outbox: it stores a task, responds, then publishes the event "
        "(`tests/faults/naive/`). It loses events without an error.\n",
        "| fault | with an outbox | without |",
        "|---|---|---|",
        *_side_by_side(run.naive),
    ]
    return "\n".join(lines) + "\n"


_RESULT = re.compile(r"(?P<rows>[A-F]\d+(?:, [A-F]\d+)*) +(?P<result>.*)")
_RECOVERED = re.compile(r"(?:drained|recovered|last failure) after ([\d.]+) s")
_SLOWEST = 3
_STATUSES = ("proven", "partly proven", "not proven")


def status_of(row: Row) -> str:
    """Return the status of a row, with the missing part of the environment."""
    return f"{row.status}; needs {row.needs}" if row.needs else row.status


def _slowest(all_rows: Iterable[Row], run: Run) -> list[str]:
    times = [(float(s), row) for row in all_rows for result in run.results[row.id] for s in _RECOVERED.findall(result)]
    of_row = {row.id: (seconds, row) for seconds, row in sorted(times, key=itemgetter(0))}
    slowest = nlargest(_SLOWEST, of_row.values(), key=itemgetter(0))
    return [f"{row.id} {seconds:g} s ({row.fault})" for seconds, row in slowest]


def _line(row: Row, run: Run) -> str:
    results = run.results.get(row.id) or [_assertion(test, run) for test in row.tests] or ["not tested"]
    return f"| {row.id} | {row.fault} | {'<br>'.join(results)} | {status_of(row)} |"


def _assertion(test: str, run: Run) -> str:
    name = test.rpartition("::")[2]
    text = name.removeprefix("test_").replace("_", " ")
    return f"{text} (skipped)" if name in run.skipped else text


def _side_by_side(naive: Iterable[str]) -> list[str]:
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for line in naive:
        injected, variant, losses = line.split(" | ")
        found[injected][variant] = losses
    return [f"| {injected} | {of['with an outbox']} | {of['naive']} |" for injected, of in sorted(found.items())]


def recorded(reports: Iterable[Path]) -> Run:
    """Read the results from JUnit reports. If a test was run several times, its last result counts."""
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
            run.add(each.get("name", ""), each.get("value", ""))
    return run


def main(reports: Sequence[Path]) -> int:
    """Write the page from the reports, or from a new run without them. Return 1, without writing, if a test failed."""
    all_rows = rows()
    with TemporaryDirectory() as directory:
        run = recorded(reports or _run(all_rows, Path(directory)))
    if run.failed:
        print("\n".join(["The page was not written because these tests failed:", *run.failed]))
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(all_rows, run))
    return 0


def _run(all_rows: Iterable[Row], directory: Path) -> list[Path]:
    """Run the tests of all rows. Those marked `faults` run one at a time, because they measure times and memory."""
    tests = ["tests/faults/naive", *dict.fromkeys(f"tests/{test}" for row in all_rows for test in row.tests)]
    passes = {
        "quick.xml": ["-n", "2", "-m", "not faults and not browser"],
        "browser.xml": ["-m", "browser"],
        "faults.xml": ["-m", "faults"],
    }
    for report, selection in passes.items():
        options = ["-o", "junit_family=xunit1", f"--junitxml={directory / report}"]
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *options, *selection, *tests], cwd=TESTS.parent, check=False
        )
    return [directory / report for report in passes]


if __name__ == "__main__":
    sys.exit(main([Path(argument) for argument in sys.argv[1:]]))
