"""What `.dockerignore` keeps from a build, by Docker's rules: the last line that fits a path or a folder of it decides.

The rules are at https://docs.docker.com/build/concepts/context/#dockerignore-files.
"""

import re
from pathlib import PurePosixPath


class Ignore:
    """The lines of a `.dockerignore`."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._rules = [(not line.startswith("!"), _pattern(line.removeprefix("!"))) for line in lines]

    def keeps_out(self, path: PurePosixPath) -> bool:
        """Whether a build does not see the path, which is relative to the folder of the build."""
        candidates = [str(each) for each in (path, *path.parents) if each != PurePosixPath(".")]
        is_out = False
        for excludes, pattern in self._rules:
            if any(pattern.fullmatch(candidate) for candidate in candidates):
                is_out = excludes
        return is_out


def _pattern(line: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*|\?)", line.strip("/"))
    replaced = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(replaced.get(part, re.escape(part)) for part in parts))
