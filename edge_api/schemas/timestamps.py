"""Parse RFC 3339 timestamps. The colon in an offset is optional, because Python's `%z` omits it."""

import re
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

_HOUR, _MINUTE = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_RFC3339 = re.compile(
    rf"(\d{{4}}-\d{{2}}-\d{{2}})[Tt]({_HOUR}:{_MINUTE}:[0-5]\d)(?:\.(\d+))?([Zz]|[+-]{_HOUR}:?{_MINUTE})", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = int((datetime.min.replace(tzinfo=UTC) - _EPOCH).total_seconds())
_LATEST = int((datetime.max.replace(tzinfo=UTC, microsecond=0) - _EPOCH).total_seconds())


def parse(text: object) -> Timestamp:
    """Return the time in `text`, truncated to nanoseconds.

    Raises ValueError for any other format, for a time without a zone, and for a time that does not exist. Leap seconds
    are not supported.
    """
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        msg = "must be an RFC 3339 timestamp with a zone, such as 2027-01-31T12:00:00Z"
        raise ValueError(msg)
    date, time, fraction, zone = match.groups()
    seconds = _seconds(f"{date}T{time}{zone.upper().replace('Z', '+00:00')}")
    if seconds is None:
        msg = "must be an existing time in the years 1 to 9999 (UTC)"
        raise ValueError(msg)
    return Timestamp(seconds=seconds, nanos=int((fraction or "")[:9].ljust(9, "0")))


def _seconds(iso: str) -> int | None:
    try:
        since_epoch = datetime.fromisoformat(iso) - _EPOCH
    except ValueError:
        return None
    seconds = since_epoch.days * 86_400 + since_epoch.seconds
    return seconds if _EARLIEST <= seconds <= _LATEST else None
