"""request-transformer and response-transformer: headers taken off and put on."""

from kong.routing import MOST_HEADERS
from kong.standin.exchange import Answer, Exchange
from kong.standin.fields import Fields, Unknown
from kong.standin.headers import Headers
from kong.standin.plugins.base import Plugin, Surroundings


class _Changes:
    """What one of them does to headers: first `remove`, then `replace`, then `add`."""

    def __init__(self, fields: Fields, others: tuple[str, ...]) -> None:
        remove, replace, add = (fields.group(name) for name in ("remove", "replace", "add"))
        self._remove = remove.texts("headers")
        self._replace = [_line(text) for text in replace.texts("headers")]
        self._add = [_line(text) for text in add.texts("headers")]
        for group in (remove, replace, add):
            for other in others:
                group.only(other, [], default=[])
            group.done()
        if any(":" in name for name in self._remove) or any("$(" in value for _, value in self._replace + self._add):
            msg = f"{fields.where}: templates, and values to be removed, are not known to the stand-in"
            raise Unknown(msg)

    def make(self, headers: Headers, seen: int | None) -> None:
        """Changes headers, of which only the first `seen` lines are looked at."""
        for name in self._remove:
            if headers.all(name, within=seen):
                headers.remove(name)
        for name, value in self._replace:
            if headers.all(name, within=seen):
                headers.set(name, value)
        for name, value in self._add:
            if not headers.all(name, within=seen):
                headers.set(name, value)


class RequestTransformer(Plugin):
    """Changes what the service gets."""

    priority = 801

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        self._changes = _Changes(fields, ("body", "querystring"))

    async def access(self, exchange: Exchange) -> None:
        """Looks, as Kong does, at the first hundred headers alone."""
        self._changes.make(exchange.headers, MOST_HEADERS)


class ResponseTransformer(Plugin):
    """Changes what the client gets, whoever made it."""

    priority = 800

    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        self._changes = _Changes(fields, ("json",))

    def header_filter(self, _exchange: Exchange, answer: Answer) -> None:
        """Changes the headers of an answer."""
        self._changes.make(answer.headers, None)


def _line(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    return name, value
