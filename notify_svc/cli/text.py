"""Dead letters in words, for a terminal; made for `dead_letters`.

What a letter tells is from outside: nothing of it may reach the terminal but what can be seen.
"""

from collections.abc import Iterable, Sequence

import grpc
from notify.v1 import dead_letters_pb2

from chassis.grpc_api.error_mapping import DETAILS_KEY

_HEADINGS = ("KEY", "AGE", "REASON", "ATTEMPTS", "CHANNEL", "EVENT ID")


def listed(letters: Sequence[dead_letters_pb2.DeadLetter], now: float) -> str:
    """A table of letters with the detail of each below it, and their number; `now` is in Unix time."""
    if not letters:
        return "There are no dead letters: everything could be handled.\n"
    rows = [_HEADINGS, *(_row(letter, now) for letter in letters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heading, *lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    details = (f"  {plain(letter.detail)}" for letter in letters)
    table = (part for pair in zip(lines, details, strict=True) for part in pair)
    return _lines([heading, *table, "", f"{_counted(len(letters))}."])


def replayed(answer: dead_letters_pb2.ReplayDeadLettersResponse, keys: Sequence[str]) -> str:
    """What became of the letters that were named, or of all where none was."""
    lines = [f"Replayed {_counted(answer.replayed_count)}."]
    if stay := answer.not_replayable_keys:
        lines.append(
            "These cannot be replayed, and stay: too little of the event was kept, or their channel is no longer"
        )
        lines.append("there, or just at work on them.")
        lines += (f"  {plain(key)}" for key in stay)
    if (passed_over := len(set(keys)) - answer.replayed_count - len(stay)) > 0:
        lines.append(f"Keys without a dead letter, or with one that was delivered meanwhile: {passed_over}.")
    return _lines(lines)


def discarded(answer: dead_letters_pb2.DiscardDeadLettersResponse, keys: Sequence[str]) -> str:
    """How many of the letters that were named were thrown away, or of all where none was."""
    lines = [f"Discarded {_counted(answer.discarded_count)}."]
    if (passed_over := len(set(keys)) - answer.discarded_count) > 0:
        lines.append(f"Keys without a dead letter: {passed_over}.")
    return _lines(lines)


def refused(error: grpc.aio.AioRpcError, target: str) -> str:
    """Why the service at `target` did not answer, and what can be done about it."""
    is_the_services_own = any(key == DETAILS_KEY for key, _ in error.trailing_metadata() or ())
    code, service = error.code(), f"the notification service at {target}"
    if code is grpc.StatusCode.UNAVAILABLE and not is_the_services_own:
        return f"Cannot reach {service}. Is it running there? NOTIFY_GRPC_TARGET may name another place.\n"
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return f"Not let in by {service}: MESH_TOKEN_FILE must name the file with the token of the mesh.\n"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return f"What answers at {target} knows no dead letters. NOTIFY_GRPC_TARGET may name another place.\n"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"No answer in time from {service}. What was done by then is done: call again for the rest.\n"
    return f"Refused by {service}: {plain(error.details() or '')} ({code.name})\n"


def age(seconds: float) -> str:
    """A time span in its largest unit: 5 s, 3 min, 2 h, 4 d."""
    whole = max(0, int(seconds))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if whole >= length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def plain(text: str) -> str:
    """The text with everything escaped that a terminal would obey, or that hides or turns what stands beside it."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _row(letter: dead_letters_pb2.DeadLetter, now: float) -> tuple[str, ...]:
    since = now - letter.time.ToMilliseconds() / 1000
    cells = (letter.key, age(since), letter.reason, str(letter.attempts), letter.channel, letter.event_id)
    return tuple(plain(cell) or "-" for cell in cells)


def _counted(number: int) -> str:
    return f"{number} dead letter{'' if number == 1 else 's'}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
