"""`python -m scripts.doctor [--json]`: ends with status 0 when all is well, else with 1; with 2 when called wrongly."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

try:
    from scripts.dev.settings import BadSettings, read
    from scripts.doctor import report
    from scripts.doctor.examination import examine
except ImportError as error:
    sys.exit(f"The package {error.name} is missing, so nothing else can be looked at: make install")


def main(arguments: list[str]) -> int:
    """Examines, reports, and returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="make doctor", description="Looks at the machine and at everything that runs."
    )
    parser.add_argument("--json", action="store_true", help="the report for programs")
    asked = parser.parse_args(arguments)
    try:
        settings = read(os.environ)
        diagnosis = asyncio.run(examine(settings, os.environ, Path.cwd()))
    except (BadSettings, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(report.as_json(diagnosis) if asked.json else report.as_text(diagnosis, coloured=coloured))
    return 0 if diagnosis.is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
