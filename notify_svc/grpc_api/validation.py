"""The rules that requests of several services share."""

from collections.abc import Sequence

from chassis.errors import InvalidInput, Violation
from notify_svc.domain import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX


def page_size(requested: int) -> int:
    """Return the maximum size of a page; 0 requests the default. Raises InvalidInput for a negative number."""
    if requested < 0:
        raise InvalidInput(Violation("page_size", "must not be negative"))
    return min(requested or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def check_some_or_all(field: str, named: Sequence[str], is_all: bool, *, at_most: int) -> None:
    """Raise InvalidInput unless a request has either 1 to `at_most` names or `all`, but not both."""
    if bool(named) == is_all:
        raise InvalidInput(Violation(field, f"exactly one of {field} and all must be given"))
    if len(named) > at_most:
        raise InvalidInput(Violation(field, f"must be at most {at_most}"))
