"""Writes kong.yml with other limits, as `make test-kong` gives it to a real Kong; kong/render fills in its secrets.

`python -m tests.support.kong_limits high` has limits that no test meets, `small` those of tests.support.door.LIMITS.
"""

import sys
from collections.abc import Mapping, Sequence

import yaml

from kong import rendered
from tests.support.door import LIMITS
from tests.support.standin import Change, without_brakes

CHANGES: Mapping[str, Sequence[Change]] = {"high": (), "small": LIMITS}


class _Indented(yaml.SafeDumper):
    """Indents lists, as kong/render does with the users that it puts after the last one."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow)


def with_limits(kind: str) -> str:
    """The file with limits of a kind."""
    document = yaml.safe_load((rendered.FOLDER / "kong.yml").read_text())
    for change in (*CHANGES[kind], without_brakes):
        change(document)
    return yaml.dump(document, Dumper=_Indented, sort_keys=False)


if __name__ == "__main__":
    sys.stdout.write(with_limits(sys.argv[1]))
