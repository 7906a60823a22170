"""The errors that a service returns, independent of any protocol.

ServiceError
├── InvalidInput        the request is invalid; names the invalid fields
├── Unauthenticated     the caller is unknown
├── NotFound            the resource does not exist for this caller
├── AlreadyExists       the resource already exists
├── Conflict            the resource has changed since the caller read it
├── Exhausted           a limit is exceeded
├── Unavailable         a dependency is unavailable; the caller can retry
├── DeadlineExceeded    the deadline has passed
├── Unimplemented       the service does not implement the method
└── Internal            a defect of the service; does not reveal the cause

`chassis.grpc_api.error_mapping` maps them to gRPC statuses, the edge maps those to HTTP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """A rule that a field violates; `field` is a path such as `labels[2]`, or empty for the request as a whole."""

    field: str
    description: str

    def __str__(self) -> str:
        return f"{self.field}: {self.description}" if self.field else self.description


class ServiceError(Exception):
    """The base of all errors: `reason` is for programs (UPPER_SNAKE), `message` for developers.

    `metadata` has further details for programs; its keys are lowerCamelCase or snake_case (AIP-193).
    """

    def __init__(self, reason: str, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata or {}


class InvalidInput(ServiceError):
    """The request is invalid, regardless of the state of the system."""

    def __init__(self, *violations: Violation, reason: str = "INVALID_FIELD") -> None:
        super().__init__(reason, "; ".join(str(violation) for violation in violations))
        self.violations: Sequence[Violation] = violations


class Unauthenticated(ServiceError):
    """The caller could not be authenticated."""


class NotFound(ServiceError):
    """The resource does not exist, or the caller has no access to it."""


class AlreadyExists(ServiceError):
    """The resource to create already exists."""


class Conflict(ServiceError):
    """The resource has changed since the caller read it; the caller must read it again."""


class Exhausted(ServiceError):
    """A limit of the caller or of the service is exceeded."""


class Unavailable(ServiceError):
    """A dependency of the service is unavailable; the caller can retry later."""


class DeadlineExceeded(ServiceError):
    """The deadline passed before the response was ready."""


class Unimplemented(ServiceError):
    """The service does not implement this method."""


class Internal(ServiceError):
    """A defect of the service."""
