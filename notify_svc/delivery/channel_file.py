"""The file that names the outside channels: one a line, as `name url`; a line that begins with `#` is a comment.

The URLs hold passwords: what is wrong with one is told by the channel's name and its scheme.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from notify_svc.delivery import apprise_rules

CHANNELS_MAX = 10
_NAME = re.compile(r"[a-z0-9-]{1,32}")
_ALWAYS_THERE = "console"
_MOUNTED = Path("/run/secrets")  # a container's own, whatever the modes of the files that are mounted there say


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    """An outside channel as it is configured."""

    name: str
    url: str = field(repr=False)


def read(path: Path | None, *, is_development: bool) -> list[ConfiguredChannel]:
    """The channels that a file names; none where there is no file.

    Raises ValueError where one is not allowed or, outside development, everybody may read or write the file; OSError
    when it cannot be read.
    """
    if path is None:
        return []
    is_open = bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    if not is_development and is_open and path.parent != _MOUNTED:
        msg = f"{path} holds secrets and can be read or written by everybody: chmod o-rw"
        raise ValueError(msg)
    channels = list(_lines(path.read_text(encoding="utf-8", errors="replace")))
    _check_names([channel.name for channel in channels])
    for channel in channels:
        try:
            apprise_rules.check(channel.url, is_development=is_development)
        except ValueError as error:
            msg = f"channel {channel.name}: {error}"
            raise ValueError(msg) from None
    return channels


def _lines(text: str) -> Iterator[ConfiguredChannel]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or not _NAME.fullmatch(words[0]):
            msg = f"line {number} is not `name url`, with a name of 1 to 32 lower case letters, digits and hyphens"
            raise ValueError(msg)
        yield ConfiguredChannel(*words)


def _check_names(names: list[str]) -> None:
    if len(names) > CHANNELS_MAX:
        msg = f"there are {len(names)} channels; {CHANNELS_MAX} are allowed"
        raise ValueError(msg)
    for name in names:
        if name == _ALWAYS_THERE or names.count(name) > 1:
            msg = f"channel {name}: the name is taken"
            raise ValueError(msg)
