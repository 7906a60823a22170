"""`python -m scripts.dashboards` writes the JSON of every dashboard; `--check` only lists the files that differ."""

import json
import sys
from pathlib import Path

from scripts.dashboards import gateway, grpc, logs, overview, queue

FOLDER = Path("monitoring/grafana/dashboards")
DASHBOARDS = (overview.DASHBOARD, grpc.DASHBOARD, queue.DASHBOARD, gateway.DASHBOARD, logs.DASHBOARD)


def files() -> dict[Path, str]:
    """Return the content of each dashboard's file by path."""
    return {
        FOLDER / f"{each.uid.removeprefix('taskmesh-')}.json": json.dumps(each.as_json(), indent=2) + "\n"
        for each in DASHBOARDS
    }


def main(arguments: list[str]) -> int:
    """Write the files, or compare them with `--check`. Return the exit status."""
    generated = files()
    existing = {path: path.read_text() for path in FOLDER.glob("*.json")}
    if "--check" in arguments:
        stale = sorted(path for path in {*generated, *existing} if generated.get(path) != existing.get(path))
        print("\n".join(f"{path} is out of date; run `make gen`" for path in stale))
        return bool(stale)
    for path in set(existing) - set(generated):
        path.unlink()
    for path, text in generated.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
