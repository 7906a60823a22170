"""Replaces `smtplib` for Apprise's mail plugin: registers each connection, so that it ends with its call."""

import smtplib
from socket import socket
from types import ModuleType

from notify_svc.delivery import outbound


def guarded() -> ModuleType:
    """Return a module with the interface of `smtplib` that registers its connections."""
    module = ModuleType(smtplib.__name__, __doc__)
    vars(module).update({**vars(smtplib), "SMTP": _SMTP, "SMTP_SSL": _SMTPS})
    return module


class _SMTP(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        connection: socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        outbound.current().watch(connection)
        return connection


class _SMTPS(smtplib.SMTP_SSL, _SMTP):
    """SMTP over TLS on a registered connection: by the method resolution order, SMTP_SSL gets its socket from _SMTP."""
