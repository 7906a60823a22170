"""request-termination: answers itself, always."""

import json
from http import HTTPStatus

from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.fields import Fields, Unknown
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings

_JSON = "application/json; charset=utf-8"


class RequestTermination(Plugin):
    """Gives the same answer to every request that comes so far."""

    priority = 2

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        self._status = fields.take("status_code", int, 503)
        body, message = fields.take("body", str, ""), fields.take("message", str, "")
        content_type = fields.take("content_type", str, "")
        if (body and message) or (content_type and not body):
            msg = f"{fields.where}: body and message exclude each other, and content_type needs body"
            raise Unknown(msg)
        fields.only("echo", False, default=False)
        self._body = body or json.dumps({"message": message or HTTPStatus(self._status).phrase})
        self._content_type = content_type or _JSON

    async def access(self, _exchange: Exchange) -> None:
        """Ends the request."""
        headers = Headers([("Content-Type", self._content_type)])
        raise Exit(Answer(self._status, headers, self._body.encode(), "exit"))
