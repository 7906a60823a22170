"""Parses a ListTasks request, and builds the response with its page token."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from task_svc.convert import E, enum_from_proto, task_to_proto, time_from_proto
from task_svc.domain import LABELS_MAX, QUERY_MAX, Priority, Status, label_violations, length_violations
from task_svc.grpc_api import page_token
from task_svc.repository import Cursor, Filter, Order, Page, SortKey
from task_svc.text import folded, nfc

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
PAGE_BYTES_MAX = 2 * 1024 * 1024
_ORDERS = frozenset({"", *SortKey, *(f"{key} desc" for key in SortKey)})


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A parsed request; a page token is bound to `arguments`."""

    criteria: Filter
    order: Order
    after: Cursor | None
    limit: int
    arguments: bytes

    @classmethod
    def from_proto(cls, request: task_pb2.ListTasksRequest, owner: str) -> "ListRequest":
        """Parse a request. Raises InvalidInput with all violations."""
        violations = [
            *_page_size_violations(request.page_size),
            *_order_violations(request.order_by),
            *_label_violations(request.labels),
            *_query_violations(request.query),
        ]
        criteria = _filter(request, violations)
        if violations:
            raise InvalidInput(*violations)
        arguments = _arguments(request)
        after = page_token.decode(request.page_token, owner, arguments) if request.page_token else None
        limit = min(request.page_size or PAGE_SIZE, PAGE_SIZE_MAX)
        return cls(criteria, _order(request.order_by), after, limit, arguments)

    def answer(self, page: Page, owner: str) -> task_pb2.ListTasksResponse:
        """Return the response for a page. It ends early if it would exceed PAGE_BYTES_MAX."""
        response = task_pb2.ListTasksResponse()
        size, next_position = 0, page.next
        for i, task in enumerate(page.tasks):
            size += task_to_proto(task, response.tasks.add).ByteSize()
            if size > PAGE_BYTES_MAX and i > 0:
                del response.tasks[i]
                last = page.tasks[i - 1]
                next_position = Cursor(self.order.value(last), last.id)
                break
        if next_position is not None:
            response.next_page_token = page_token.encode(next_position, owner, self.arguments)
        return response


def _arguments(request: task_pb2.ListTasksRequest) -> bytes:
    fixed = task_pb2.ListTasksRequest()
    fixed.CopyFrom(request)
    fixed.ClearField("page_size")
    fixed.ClearField("page_token")
    return fixed.SerializeToString(deterministic=True)


def _order(order_by: str) -> Order:
    key, _, direction = order_by.partition(" ")
    return Order(SortKey(key), descending=direction == "desc") if order_by else Order()


def _filter(request: task_pb2.ListTasksRequest, violations: list[Violation]) -> Filter:
    def time(field: Literal["due_before", "due_after"]) -> datetime | None:
        return time_from_proto(getattr(request, field), field, violations) if request.HasField(field) else None

    return Filter(
        statuses=_enums(Status, request.statuses, "statuses", violations),
        priorities=_enums(Priority, request.priorities, "priorities", violations),
        labels=tuple(dict.fromkeys(nfc(label) for label in request.labels)),
        due_before=time("due_before"),
        due_after=time("due_after"),
        text=folded(request.query),
        show_deleted=request.show_deleted,
    )


def _enums(kind: type[E], numbers: Iterable[int], field: str, violations: list[Violation]) -> frozenset[E]:
    values, known = set[E](), len(violations)
    for i, number in enumerate(numbers):
        values.add(enum_from_proto(kind, number, f"{field}[{i}]", violations))
        if len(violations) > known:  # report only the first: a message can have 100,000 unknown numbers
            break
    return frozenset(values)


def _page_size_violations(page_size: int) -> Iterator[Violation]:
    if page_size < 0:
        yield Violation("page_size", "must not be negative")


def _order_violations(order_by: str) -> Iterator[Violation]:
    if order_by not in _ORDERS:
        keys = ", ".join(SortKey)
        yield Violation("order_by", f"must be one of {keys}, optionally followed by ' desc'")


def _label_violations(labels: Sequence[str]) -> Iterator[Violation]:
    if len(labels) > LABELS_MAX:
        yield Violation("labels", f"must be at most {LABELS_MAX} labels, and has {len(labels):,}")
        return
    for i, label in enumerate(labels):
        yield from label_violations(f"labels[{i}]", nfc(label))


def _query_violations(query: str) -> Iterator[Violation]:
    yield from length_violations("query", query, QUERY_MAX)
    if "\0" in query:
        yield Violation("query", "must not contain a NUL character")
