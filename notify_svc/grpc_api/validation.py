"""The rules that requests of both services have in common."""

from collections.abc import Sequence

from chassis.errors import InvalidInput, Violation
from notify_svc.domain import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX


def page_size(asked: int) -> int:
    """How many a page may hold. Raises InvalidInput for a negative number."""
    if asked < 0:
        raise InvalidInput(Violation("page_size", "must not be negative"))
    return min(asked or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def check_some_or_all(field: str, named: Sequence[str], is_all: bool, *, at_most: int) -> None:
    """Raises InvalidInput unless a request names some, not too many, or asks for all, and not both."""
    if bool(named) == is_all:
        raise InvalidInput(Violation(field, f"exactly one of {field} and all must be given"))
    if len(named) > at_most:
        raise InvalidInput(Violation(field, f"must be at most {at_most}"))
