"""What an examination finds, and how a question becomes a finding: in time, whatever the other side does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

SECONDS = 2.0
"""How long any question may take; all are asked at once."""


_HANGS = "end it and start it again; what it logged last may tell why"


class State(Enum):
    """How a part is: NOTE is neither good nor bad, OFF is for what does not run."""

    OK = "ok"
    BAD = "bad"
    NOTE = "note"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    group: str
    part: str
    state: State
    says: str
    cure: str = ""
    where: str = ""
    version: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a part says of itself; with a cure it is not well."""

    says: str
    cure: str = ""
    version: str = ""
    seconds: float | None = None
    """How long it took to answer."""


class Away(Exception):
    """Nobody is there to ask, or somebody whom we do not know."""


Question = Callable[[], Awaitable[Answer]]
_T = TypeVar("_T")


async def ask(group: str, part: str, where: str, question: Question) -> Finding:
    """Asks one part at its address."""
    try:
        async with asyncio.timeout(SECONDS):
            answer = await question()
    except Away as error:
        return Finding(group, part, State.OFF, str(error), where=where)
    except TimeoutError:
        return Finding(group, part, State.BAD, f"does not answer within {SECONDS:g} s", _HANGS, where)
    except Exception as error:
        return Finding(group, part, State.BAD, f"{type(error).__name__}: {error}", _HANGS, where)
    state = State.BAD if answer.cure else State.OK
    return Finding(group, part, state, answer.says, answer.cure, where, answer.version, answer.seconds)


async def timed(call: Callable[[], Awaitable[_T]]) -> tuple[_T, float]:
    """What a call gives, and the seconds of the quickest of three: the first one has to connect."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        found = await call()
        times.append(time.perf_counter() - begun)
    return found, min(times)
