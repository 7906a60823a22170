"""Formats the terminal output of `dead_letters`.

Dead letters contain untrusted text: only printable characters of it may reach the terminal.
"""

from collections.abc import Iterable, Sequence

import grpc
from notify.v1 import dead_letters_pb2

from chassis.grpc_api.error_mapping import DETAILS_KEY

_HEADINGS = ("KEY", "AGE", "REASON", "ATTEMPTS", "CHANNEL", "EVENT ID")


def listed(letters: Sequence[dead_letters_pb2.DeadLetter], now: float) -> str:
    """Return a table of dead letters, each with its detail on the next line, and their number; `now` is Unix time."""
    if not letters:
        return "There are no dead letters.\n"
    rows = [_HEADINGS, *(_row(letter, now) for letter in letters)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    heading, *lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    details = (f"  {plain(letter.detail)}" for letter in letters)
    table = (part for pair in zip(lines, details, strict=True) for part in pair)
    return _lines([heading, *table, "", f"{_counted(len(letters))}."])


def replayed(response: dead_letters_pb2.ReplayDeadLettersResponse, keys: Sequence[str]) -> str:
    """Return the result of a replay of `keys`, or of all dead letters if `keys` is empty."""
    lines = [f"Replayed {_counted(response.replayed_count)}."]
    if kept := response.not_replayable_keys:
        lines.append("Not replayed (event not stored, channel not configured, or delivery in progress):")
        lines += (f"  {plain(key)}" for key in kept)
    if (ignored := len(set(keys)) - response.replayed_count - len(kept)) > 0:
        lines.append(f"Ignored keys (no dead letter, or delivered in the meantime): {ignored}.")
    return _lines(lines)


def discarded(response: dead_letters_pb2.DiscardDeadLettersResponse, keys: Sequence[str]) -> str:
    """Return the result of a discard of `keys`, or of all dead letters if `keys` is empty."""
    lines = [f"Discarded {_counted(response.discarded_count)}."]
    if (ignored := len(set(keys)) - response.discarded_count) > 0:
        lines.append(f"Ignored keys (no dead letter): {ignored}.")
    return _lines(lines)


def error_message(error: grpc.aio.AioRpcError, target: str) -> str:
    """Return why the call to the service at `target` failed, and what the operator can do."""
    is_the_services_own = any(key == DETAILS_KEY for key, _ in error.trailing_metadata() or ())
    code, service = error.code(), f"the notification service at {target}"
    if code is grpc.StatusCode.UNAVAILABLE and not is_the_services_own:
        return f"Cannot reach {service}. Check that it is running, or set NOTIFY_GRPC_TARGET to its address.\n"
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return f"Access denied by {service}. Set MESH_TOKEN_FILE to the file with the mesh token.\n"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return f"The server at {target} is not the notification service. Set NOTIFY_GRPC_TARGET to its address.\n"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"Timed out waiting for {service}. Some dead letters may be done; run the command again for the rest.\n"
    return f"Error from {service}: {plain(error.details() or '')} ({code.name})\n"


def age(seconds: float) -> str:
    """Return a time span in its largest unit: 5 s, 3 min, 2 h, 4 d."""
    whole = max(0, int(seconds))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if whole >= length:
            return f"{whole // length} {unit}"
    return f"{whole} s"


def plain(text: str) -> str:
    """Return the text with all unprintable characters escaped, such as control sequences and changes of direction."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _row(letter: dead_letters_pb2.DeadLetter, now: float) -> tuple[str, ...]:
    since = now - letter.time.ToMilliseconds() / 1000
    cells = (letter.key, age(since), letter.reason, str(letter.attempts), letter.channel, letter.event_id)
    return tuple(plain(cell) or "-" for cell in cells)


def _counted(number: int) -> str:
    return f"{number} dead letter{'' if number == 1 else 's'}"


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
