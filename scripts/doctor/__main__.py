"""`python -m scripts.doctor [--json] [--phase N]`: exit status 0 if all is well, 1 if not, 2 for wrong arguments."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from scripts.dev.settings import BadSettings, DevSettings, read
from scripts.doctor import containers, machine, ports
from scripts.doctor.findings import DEV, Finding, Report, State, judge


def main(arguments: list[str]) -> int:
    """Write the report; return the exit status."""
    usage = "make doctor [ARGS=--json], or make verify PHASE=n with n from 1 to 7"
    parser = argparse.ArgumentParser("doctor", usage, "Check this machine and everything that runs.")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--phase", type=int, choices=range(1, 8), help="check what this phase of the course promises")
    given = parser.parse_args(arguments)
    try:
        report = asyncio.run(_examine(read(os.environ), Path.cwd(), given.phase))
    except (BadSettings, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(report.as_json() if given.json else report.as_text(coloured=coloured))
    return 0 if report.well else 1


async def _examine(settings: DevSettings, root: Path, phase: int | None) -> Report:
    """Examine the machine first, by itself: that keeps it busy, and the parts would look slow."""
    dev_runs = ports.is_locked(settings.data_dir)
    in_docker, published = containers.look(root)
    found = [*machine.check(settings.data_dir, root), *in_docker, *ports.check(settings, published, dev_runs=dev_runs)]
    try:
        from scripts.doctor import parts, phases
    except ImportError as error:
        missing = Finding(
            group=DEV, part="all parts", state=State.BAD, says=f"not checked: {error}", cure="make install"
        )
        return judge([*found, missing], dev_runs=dev_runs)
    found += await parts.examine(settings, os.environ, dev_runs=dev_runs)
    report = judge(found, dev_runs=dev_runs)
    return report if phase is None else await phases.verify(phase, report, settings, published)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
