"""The errors that a service answers with, free of any protocol.

ServiceError
├── InvalidInput        the caller must change the request; names the fields at fault
├── Unauthenticated     nobody known is calling
├── NotFound            there is no such thing for this caller
├── AlreadyExists       the thing is there already
├── Conflict            the thing has changed since the caller saw it
├── Exhausted           the caller wants more than there is room for
├── Unavailable         something this service needs is away; worth another try
├── DeadlineExceeded    the caller's time is up
└── Internal            a defect of the service; says nothing of the cause

Raised low, mapped once: to a gRPC status in `chassis.grpc_api.error_mapping`, from there to HTTP in the edge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One rule that one field breaks; `field` is a path like `labels[2]` or empty for the request as a whole."""

    field: str
    description: str

    def __str__(self) -> str:
        return f"{self.field}: {self.description}" if self.field else self.description


class ServiceError(Exception):
    """An answer other than success: `reason` is for programs (UPPER_SNAKE), `message` for developers.

    `metadata` tells programs more, under names in lowerCamelCase or snake_case (AIP-193).
    """

    def __init__(self, reason: str, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata or {}


class InvalidInput(ServiceError):
    """The request breaks a rule, whatever the state of the system."""

    def __init__(self, *violations: Violation, reason: str = "INVALID_FIELD") -> None:
        super().__init__(reason, "; ".join(str(violation) for violation in violations))
        self.violations: Sequence[Violation] = violations


class Unauthenticated(ServiceError):
    """The caller did not prove who it is."""


class NotFound(ServiceError):
    """There is no such thing, or none that this caller may know of."""


class AlreadyExists(ServiceError):
    """The thing that was to be made is there already."""


class Conflict(ServiceError):
    """The thing has changed since the caller saw it: read it again, then decide."""


class Exhausted(ServiceError):
    """The caller wants more than it may have, or than there is room for."""


class Unavailable(ServiceError):
    """Something that this service depends on is away: try again later."""


class DeadlineExceeded(ServiceError):
    """The caller's deadline passed before the answer was ready."""


class Unimplemented(ServiceError):
    """The service does not have this method."""


class Internal(ServiceError):
    """A defect of the service itself."""
