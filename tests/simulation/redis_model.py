"""A model of Redis in memory: the commands that the services use, and their Lua scripts, which real Lua runs.

`test_redis_model.py` compares it with a real Valkey. Keys do not expire, because the services set only expiry times of
days, longer than a simulated run.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from itertools import pairwise
from typing import Any

import lupa.lua51
from redis.exceptions import NoScriptError, ResponseError

EntryId = tuple[int, int]
Arguments = Sequence[bytes]
FIRST: EntryId = (0, 0)

_lua = lupa.lua51.LuaRuntime(encoding=None)
_compiled: dict[bytes, Any] = {}


@dataclass
class PendingEntry:
    """An entry that was delivered to a consumer and is not acknowledged."""

    consumer: bytes
    at_ms: int
    deliveries: int = 1


@dataclass
class Group:
    """A consumer group: its last delivered id, its pending entries, and when each consumer was last active."""

    last: EntryId
    pending: dict[EntryId, PendingEntry] = field(default_factory=dict)
    consumers: dict[bytes, int] = field(default_factory=dict)


@dataclass
class Stream:
    """Entries in order, each a flat list of fields and values."""

    entries: dict[EntryId, list[bytes]] = field(default_factory=dict)
    last: EntryId = FIRST
    groups: dict[bytes, Group] = field(default_factory=dict)


class RedisModel:
    """One server. `do` takes a command and returns the reply, both in Redis's wire format."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._scripts: dict[bytes, bytes] = {}
        self.data: dict[bytes, Any] = {}

    def clear(self) -> None:
        """Delete all data, as after a restart without persistent storage."""
        self.data.clear()
        self._scripts.clear()

    def do(self, *command: Any) -> Any:
        """Execute one command. Raises ResponseError."""
        name, *arguments = (_bytes(part) for part in command)
        execute: Callable[..., Any] = getattr(self, "_" + name.decode().lower().replace(" ", "_"))
        return execute(*arguments)

    # Hashes

    def _hash(self, key: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self.data.get(key, {})
        return found

    def _hset(self, key: bytes, *flat: bytes) -> int:
        hash = self.data.setdefault(key, {})
        before = len(hash)
        hash.update(zip(flat[::2], flat[1::2], strict=True))
        return len(hash) - before

    def _hget(self, key: bytes, name: bytes) -> bytes | None:
        return self._hash(key).get(name)

    def _hmget(self, key: bytes, *names: bytes) -> list[bytes | None]:
        return [self._hash(key).get(name) for name in names]

    def _hexists(self, key: bytes, name: bytes) -> int:
        return int(name in self._hash(key))

    def _hincrby(self, key: bytes, name: bytes, by: bytes) -> int:
        hash = self.data.setdefault(key, {})
        number = int(hash.get(name, b"0")) + int(by)
        hash[name] = b"%d" % number
        return number

    def _hgetall(self, key: bytes) -> list[bytes]:
        return [part for pair in self._hash(key).items() for part in pair]

    # Keys

    def _exists(self, key: bytes) -> int:
        return int(key in self.data)

    def _del(self, key: bytes) -> int:
        return int(self.data.pop(key, None) is not None)

    def _pexpire(self, key: bytes, _milliseconds: bytes) -> int:
        return int(key in self.data)

    # Sorted sets

    def _sorted(self, key: bytes) -> list[tuple[float, bytes]]:
        return sorted((score, member) for member, score in self.data.get(key, {}).items())

    def _zadd(self, key: bytes, *flat: bytes) -> int:
        members = self.data.setdefault(key, {})
        before = len(members)
        members.update({member: float(score) for score, member in zip(flat[::2], flat[1::2], strict=True)})
        return len(members) - before

    def _zrem(self, key: bytes, member: bytes) -> int:
        return self._drop(key, [member])

    def _zcard(self, key: bytes) -> int:
        return len(self.data.get(key, {}))

    def _zscore(self, key: bytes, member: bytes) -> bytes | None:
        score = self.data.get(key, {}).get(member)
        return None if score is None else b"%.17g" % score

    def _zrange(self, key: bytes, first: bytes, last: bytes) -> list[bytes]:
        members = [member for _, member in self._sorted(key)]
        begin, end = (int(place) + (len(members) if int(place) < 0 else 0) for place in (first, last))
        return members[max(0, begin) : max(0, end + 1)]

    def _zrangebyscore(self, key: bytes, low: bytes, high: bytes, *limit: bytes) -> list[bytes]:
        (lowest, above), (highest, below) = _bound(low), _bound(high)
        found = [
            member
            for score, member in self._sorted(key)
            if (lowest < score or (lowest == score and not above))
            and (score < highest or (score == highest and not below))
        ]
        return found[int(limit[1]) : int(limit[1]) + int(limit[2])] if limit else found

    def _zremrangebyscore(self, key: bytes, low: bytes, high: bytes) -> int:
        return self._drop(key, self._zrangebyscore(key, low, high))

    def _drop(self, key: bytes, names: Sequence[bytes]) -> int:
        members = self.data.get(key, {})
        dropped = sum(members.pop(name, None) is not None for name in names)
        if not members:
            self.data.pop(key, None)
        return dropped

    # Streams

    def _xadd(self, key: bytes, entry_id: bytes, *flat: bytes) -> bytes:
        stream: Stream = self.data.setdefault(key, Stream())
        number = self._next_id(stream) if entry_id == b"*" else _number(entry_id)
        stream.entries[number] = list(flat)
        stream.last = number
        return _text(number)

    def _next_id(self, stream: Stream) -> EntryId:
        now = self._clock_ms()
        return (now, 0) if now > stream.last[0] else (stream.last[0], stream.last[1] + 1)

    def _xlen(self, key: bytes) -> int:
        return len(self.data[key].entries) if key in self.data else 0

    def _xrange(self, key: bytes, low: bytes, high: bytes, *_count: bytes) -> list[Any]:
        stream: Stream = self.data.get(key, Stream())
        if low == high:
            number = _number(low)
            return [[low, stream.entries[number]]] if number in stream.entries else []
        return [[_text(number), fields] for number, fields in stream.entries.items()]

    def _xtrim(self, key: bytes, kind: bytes, *options: bytes) -> int:
        if key not in self.data:
            return 0
        entries, threshold = self.data[key].entries, options[-1]
        if kind == b"MAXLEN":
            surplus = list(entries)[: max(0, len(entries) - int(threshold))]
        else:
            surplus = [number for number in entries if number < _number(threshold)]
        for number in surplus:
            del entries[number]
        return len(surplus)

    def _xgroup_create(self, key: bytes, name: bytes, start: bytes, *options: bytes) -> bytes:
        if key not in self.data and b"MKSTREAM" not in options:
            raise ResponseError("The XGROUP subcommand requires the key to exist.")
        stream: Stream = self.data.setdefault(key, Stream())
        if name in stream.groups:
            raise ResponseError("BUSYGROUP Consumer Group name already exists")
        stream.groups[name] = Group(_number(start))
        return b"OK"

    def _group(self, key: bytes, name: bytes) -> tuple[Stream, Group]:
        stream = self.data.get(key)
        if stream is None or name not in stream.groups:
            raise ResponseError(f"NOGROUP No such key '{key.decode()}' or consumer group '{name.decode()}'")
        return stream, stream.groups[name]

    def _xgroup_delconsumer(self, key: bytes, name: bytes, consumer: bytes) -> int:
        _, group = self._group(key, name)
        theirs = [number for number, given in group.pending.items() if given.consumer == consumer]
        for number in theirs:
            del group.pending[number]
        group.consumers.pop(consumer, None)
        return len(theirs)

    def _xreadgroup(self, _group: bytes, name: bytes, consumer: bytes, *options: bytes) -> list[Any] | None:
        count = int(options[options.index(b"COUNT") + 1])
        key, after = options[options.index(b"STREAMS") + 1 :]
        stream, group = self._group(key, name)
        now = group.consumers[consumer] = self._clock_ms()
        rows: list[Any] = []
        if after == b">":
            new = [number for number in stream.entries if number > group.last][:count]
            for number in new:
                group.pending[number] = PendingEntry(consumer, now)
                group.last = number
            rows = [[_text(number), stream.entries[number]] for number in new]
            return [[key, rows]] if rows else None
        own = [n for n, given in group.pending.items() if given.consumer == consumer and n > _number(after)][:count]
        for number in own:
            given = group.pending[number]
            if number in stream.entries:
                given.at_ms, given.deliveries = now, given.deliveries + 1
            rows.append([_text(number), stream.entries.get(number)])
        return [[key, rows]]

    def _xautoclaim(self, key: bytes, name: bytes, consumer: bytes, idle: bytes, start: bytes, *options: bytes) -> Any:
        count = int(options[options.index(b"COUNT") + 1])
        stream, group = self._group(key, name)
        now = group.consumers[consumer] = self._clock_ms()
        claimed: list[Any] = []
        deleted: list[bytes] = []
        for number in [number for number in group.pending if number >= _number(start)]:
            if len(claimed) + len(deleted) == count:
                return [_text(number), claimed, deleted]
            if number not in stream.entries:
                del group.pending[number]
                deleted.append(_text(number))
            elif now - group.pending[number].at_ms >= int(idle):
                given = group.pending[number]
                given.consumer, given.at_ms, given.deliveries = consumer, now, given.deliveries + 1
                claimed.append([_text(number), stream.entries[number]])
        return [b"0-0", claimed, deleted]

    def _xpending(self, key: bytes, name: bytes, *span: bytes) -> Any:
        _, group = self._group(key, name)
        if not span:
            numbers = list(group.pending)
            return [len(numbers), _text(numbers[0]), _text(numbers[-1]), []] if numbers else [0, None, None, None]
        low, high = _number(span[0]), _number(span[1])
        now = self._clock_ms()
        found = [(number, given) for number, given in group.pending.items() if low <= number <= high]
        return [[_text(n), given.consumer, now - given.at_ms, given.deliveries] for n, given in found[: int(span[2])]]

    def _xack(self, key: bytes, name: bytes, *entry_ids: bytes) -> int:
        if key not in self.data or name not in self.data[key].groups:
            return 0
        pending = self.data[key].groups[name].pending
        return sum(pending.pop(_number(entry_id), None) is not None for entry_id in entry_ids)

    def _xinfo_groups(self, key: bytes) -> list[Any]:
        if key not in self.data:
            raise ResponseError("no such key")
        stream: Stream = self.data[key]
        names = (b"name", b"consumers", b"pending", b"last-delivered-id", b"lag")
        rows = [
            (
                name,
                len(group.consumers),
                len(group.pending),
                _text(group.last),
                sum(number > group.last for number in stream.entries),
            )
            for name, group in stream.groups.items()
        ]
        return [[part for pair in zip(names, row, strict=True) for part in pair] for row in rows]

    def _xinfo_consumers(self, key: bytes, name: bytes) -> list[Any]:
        _, group = self._group(key, name)
        now = self._clock_ms()
        rows = []
        for consumer, seen_ms in group.consumers.items():
            pending = sum(given.consumer == consumer for given in group.pending.values())
            rows.append([b"name", consumer, b"pending", pending, b"idle", now - seen_ms])
        return rows

    # Scripts

    def _script_load(self, source: bytes) -> bytes:
        sha = sha1(source).hexdigest().encode()
        self._scripts[sha] = source
        return sha

    def _evalsha(self, sha: bytes, key_count: bytes, *arguments: bytes) -> Any:
        if sha not in self._scripts:
            raise NoScriptError("No matching script. Please use EVAL.")
        if sha not in _compiled:
            _compiled[sha] = _lua.eval(b"function(redis, cjson, KEYS, ARGV) " + self._scripts[sha] + b"\nend")
        keys = int(key_count)
        redis = _lua.table_from({b"call": lambda *call: _to_lua(self.do(*call))})
        tables = (_lua.table_from(list(part)) for part in (arguments[:keys], arguments[keys:]))
        return _from_lua(_compiled[sha](redis, _CJSON, *tables))


def _bound(text: bytes) -> tuple[float, bool]:
    return float(text.removeprefix(b"(")), text.startswith(b"(")


def _number(entry_id: bytes) -> EntryId:
    milliseconds, _, sequence = entry_id.partition(b"-")
    return int(milliseconds), int(sequence or b"0")


def _text(number: EntryId) -> bytes:
    return b"%d-%d" % number


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (b"%.17g" % value) if isinstance(value, float) else str(value).encode()


def _to_lua(reply: Any) -> Any:
    if reply is None:
        return False
    return _lua.table_from([_to_lua(part) for part in reply]) if isinstance(reply, list) else reply


def _from_lua(value: Any) -> Any:
    if lupa.lua51.lua_type(value) == "table":
        items: list[Any] = []
        while (item := value[len(items) + 1]) is not None:
            items.append(_from_lua(item))
        return items
    if value is False:
        return None
    return int(value) if isinstance(value, float) else value


def _decoded(text: bytes) -> Any:
    def as_bytes(value: Any) -> Any:
        return value.encode() if isinstance(value, str) else value

    return _lua.table_from({as_bytes(name): as_bytes(value) for name, value in json.loads(text).items()})


_CJSON = _lua.table_from({b"decode": _decoded})


def shaped(name: str, reply: Any, *, is_summary: bool = False) -> Any:
    """Return a reply in redis-py's format."""
    match name:
        case "XGROUP CREATE":
            return True
        case "HGETALL":
            return dict(zip(reply[::2], reply[1::2], strict=True))
        case "XRANGE":
            return [_row(row) for row in reply]
        case "XREADGROUP":
            return [[key, [_row(row) for row in rows]] for key, rows in reply or []]
        case "XAUTOCLAIM":
            return [reply[0], [_row(row) for row in reply[1]], reply[2]]
        case "XPENDING" if is_summary:
            return dict(zip(("pending", "min", "max", "consumers"), reply, strict=True))
        case "XPENDING":
            names = ("message_id", "consumer", "time_since_delivered", "times_delivered")
            return [dict(zip(names, row, strict=True)) for row in reply]
        case "XINFO GROUPS":
            return [{name.decode(): value for name, value in list(pairwise(row))[::2]} for row in reply]
        case _:
            return reply


def _row(row: Sequence[Any]) -> tuple[bytes, dict[bytes, bytes]]:
    entry_id, flat = row
    return entry_id, dict(zip(flat[::2], flat[1::2], strict=True)) if flat else {}
