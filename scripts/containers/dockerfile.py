"""A Dockerfile as far as the rules need it: stages, and the instructions of each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Stage:
    """What stands between one FROM and the next."""

    base: str
    """What FROM names: an image or an earlier stage."""
    instructions: list[tuple[str, str]] = field(default_factory=list)
    """Keyword and the rest, in order, continued lines joined."""

    def copies(self) -> Iterator[tuple[str | None, Sequence[str], str]]:
        """Each COPY: the stage that it takes from (None for the build context), its sources, and where to."""
        for keyword, rest in self.instructions:
            if keyword == "COPY":
                flags = [word for word in rest.split() if word.startswith("--")]
                *sources, target = [word for word in rest.split() if not word.startswith("--")]
                taken = [flag.removeprefix("--from=") for flag in flags if flag.startswith("--from=")]
                yield (taken[0] if taken else None), sources, target


def read_stages(text: str) -> dict[str, Stage]:
    """The stages by their names."""
    stages: dict[str, Stage] = {}
    stage = Stage("")
    for keyword, rest in _instructions(text):
        if keyword == "FROM":
            image, _, name = rest.partition(" AS ")
            stage = stages.setdefault(name, Stage(image))
        else:
            stage.instructions.append((keyword, rest))
    return stages


def lineage(stages: Mapping[str, Stage], name: str) -> Iterator[Stage]:
    """A stage, the stage it is made from, and so on."""
    while name in stages:
        yield stages[name]
        name = stages[name].base


def last(stages: Mapping[str, Stage], name: str, keyword: str) -> str | None:
    """What the last such instruction says that holds for a stage."""
    for stage in lineage(stages, name):
        said = [rest for each, rest in stage.instructions if each == keyword]
        if said:
            return said[-1]
    return None


def is_exec_form(command: str | None) -> bool:
    """Whether a command is started without a shell, which would keep the signals to itself."""
    try:
        return isinstance(json.loads(command or ""), list)
    except ValueError:
        return False


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for instruction in "\n".join(lines).replace("\\\n", " ").splitlines():
        keyword, _, rest = instruction.strip().partition(" ")
        yield keyword.upper(), " ".join(rest.split())
