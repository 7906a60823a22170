"""`python -m scripts.dashboards` writes the JSON of every dashboard; with `--check` it only says which would change."""

import json
import sys
from pathlib import Path

from scripts.dashboards import gateway, grpc, logs, overview, queue

FOLDER = Path("monitoring/grafana/dashboards")
DASHBOARDS = (overview.DASHBOARD, grpc.DASHBOARD, queue.DASHBOARD, gateway.DASHBOARD, logs.DASHBOARD)


def files() -> dict[Path, str]:
    """Each dashboard's file, with what belongs into it."""
    return {
        FOLDER / f"{each.uid.removeprefix('taskmesh-')}.json": json.dumps(each.as_json(), indent=2) + "\n"
        for each in DASHBOARDS
    }


def main(arguments: list[str]) -> int:
    """Writes or compares; gives the exit status."""
    wanted = files()
    there = {path: path.read_text() for path in FOLDER.glob("*.json")}
    if "--check" in arguments:
        stale = sorted(path for path in {*wanted, *there} if wanted.get(path) != there.get(path))
        print("\n".join(f"{path} is not what `make gen` makes" for path in stale))
        return bool(stale)
    for path in set(there) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
