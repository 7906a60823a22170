"""SMTP as Apprise's plugin for mail is given it, in place of `smtplib`: each connection ends with its call."""

import smtplib
from socket import socket
from types import ModuleType

from notify_svc.delivery import outbound


def guarded() -> ModuleType:
    """A module that looks like `smtplib` and watches its connections."""
    module = ModuleType(smtplib.__name__, __doc__)
    vars(module).update({**vars(smtplib), "SMTP": _SMTP, "SMTP_SSL": _SMTPS})
    return module


class _SMTP(smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket:
        connection: socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        outbound.current().watch(connection)
        return connection


class _SMTPS(smtplib.SMTP_SSL, _SMTP):
    """TLS around a connection that is watched: this class's own parent asks the next one for it."""
