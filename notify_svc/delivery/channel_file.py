"""Reads the file of outside channels: one `name url` per line; a line that begins with `#` is a comment.

The URLs contain passwords, so error messages contain only the channel's name and the URL's scheme.
"""

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from notify_svc.delivery import apprise_rules

CHANNELS_MAX = 10
_NAME = re.compile(r"[a-z0-9-]{1,32}")
_RESERVED = "console"
_MOUNTED = Path("/run/secrets")  # only the container can read it, whatever the file modes are


@dataclass(frozen=True, slots=True)
class ConfiguredChannel:
    """The configuration of one outside channel."""

    name: str
    url: str = field(repr=False)


def read(path: Path | None, *, is_development: bool) -> list[ConfiguredChannel]:
    """Return the channels in a file; an empty list without a file.

    Raises ValueError for a channel that is not allowed or, outside development, if every user can read or write the
    file; OSError if the file cannot be read.
    """
    if path is None:
        return []
    is_open = bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    if not is_development and is_open and path.parent != _MOUNTED:
        msg = f"{path} contains secrets, but every user can read or write it; run chmod o-rw"
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
            msg = f"line {number} must be `name url`, with a name of 1 to 32 lower-case letters, digits and hyphens"
            raise ValueError(msg)
        yield ConfiguredChannel(*words)


def _check_names(names: list[str]) -> None:
    if len(names) > CHANNELS_MAX:
        msg = f"there are {len(names)} channels; at most {CHANNELS_MAX} are allowed"
        raise ValueError(msg)
    for name in names:
        if name == _RESERVED or names.count(name) > 1:
            msg = f"channel {name}: the name is already used; choose another"
            raise ValueError(msg)
