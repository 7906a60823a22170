"""Parses a ListTasks request, and builds the response with its page token."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from task.v1 import task_pb2

from chassis.errors import InvalidInput, Violation
from task_svc.convert import enums_from_proto, task_to_proto, time_from_proto
from task_svc.domain import LABELS_MAX, QUERY_MAX, Priority, Status, label_violations
from task_svc.grpc_api import page_token
from task_svc.repository import Cursor, Filter, Order, Page, SortKey

PAGE_SIZE = 50
PAGE_SIZE_MAX = 200
PAGE_BYTES_MAX = 2 * 1024 * 1024


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
        """Reads a request. Raises InvalidInput for what it gets wrong."""
        criteria, order = _filter(request), _order(request.order_by)
        arguments = _arguments(request)
        after = page_token.decode(request.page_token, owner, arguments) if request.page_token else None
        return cls(criteria, order, after, _limit(request.page_size), arguments)

    def answer(self, page: Page, owner: str) -> task_pb2.ListTasksResponse:
        """The response for a page, which ends early where it would be too large."""
        response = task_pb2.ListTasksResponse()
        size, next_position = 0, page.next
        for i, task in enumerate(page.tasks):
            message = task_to_proto(task)
            size += message.ByteSize()
            if size > PAGE_BYTES_MAX and i > 0:
                last = page.tasks[i - 1]
                next_position = Cursor(self.order.value(last), last.id)
                break
            response.tasks.append(message)
        if next_position is not None:
            response.next_page_token = page_token.encode(next_position, owner, self.arguments)
        return response


def _arguments(request: task_pb2.ListTasksRequest) -> bytes:
    fixed = task_pb2.ListTasksRequest()
    fixed.CopyFrom(request)
    fixed.ClearField("page_size")
    fixed.ClearField("page_token")
    return fixed.SerializeToString(deterministic=True)


def _limit(page_size: int) -> int:
    if page_size < 0:
        raise InvalidInput(Violation("page_size", "must not be negative"))
    return min(page_size or PAGE_SIZE, PAGE_SIZE_MAX)


def _order(order_by: str) -> Order:
    if not order_by:
        return Order()
    key, _, direction = order_by.partition(" ")
    if key not in set(SortKey) or direction not in ("", "desc") or order_by.endswith(" "):
        keys = ", ".join(SortKey)
        raise InvalidInput(Violation("order_by", f"must be one of {keys}, optionally followed by ' desc'"))
    return Order(SortKey(key), descending=direction == "desc")


def _filter(request: task_pb2.ListTasksRequest) -> Filter:
    violations = [*_label_violations(request.labels), *_query_violations(request.query)]
    if violations:
        raise InvalidInput(*violations)
    return Filter(
        statuses=enums_from_proto(Status, request.statuses, "statuses"),
        priorities=enums_from_proto(Priority, request.priorities, "priorities"),
        labels=tuple(dict.fromkeys(request.labels)),
        due_before=time_from_proto(request.due_before, "due_before") if request.HasField("due_before") else None,
        due_after=time_from_proto(request.due_after, "due_after") if request.HasField("due_after") else None,
        text=request.query.casefold(),
        show_deleted=request.show_deleted,
    )


def _label_violations(labels: Sequence[str]) -> Iterator[Violation]:
    if len(labels) > LABELS_MAX:
        yield Violation("labels", f"must be at most {LABELS_MAX} labels")
        return
    for i, label in enumerate(labels):
        yield from label_violations(f"labels[{i}]", label)


def _query_violations(query: str) -> Iterator[Violation]:
    if len(query) > QUERY_MAX:
        yield Violation("query", f"must be at most {QUERY_MAX} characters")
    if "\0" in query:
        yield Violation("query", "must have no NUL character")
