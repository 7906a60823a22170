"""session: gives who has signed in a cookie, and recognises who brings it."""

from urllib.parse import parse_qsl

from kong.standin.exchange import Answer, Exchange, Exit
from kong.standin.fields import Fields, Unknown
from kong.standin.plugins.base import Plugin, Surroundings
from kong.standin.sessions import Lifetimes

_LEAST_SECRET = 32
_EXPIRED = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"


class SessionPlugin(Plugin):
    """Sessions are kept in this process's memory, where Kong keeps them in its database."""

    priority = 1900

    def __init__(self, fields: Fields, around: Surroundings) -> None:
        secret = fields.take("secret", str, "")
        if len(secret) < _LEAST_SECRET:
            msg = f"{fields.where}: the secret must have {_LEAST_SECRET} characters or more"
            raise Unknown(msg)
        self._cookie = fields.take("cookie_name", str, "session")
        self._flags = _flags(fields)
        lifetimes = Lifetimes(
            idling=fields.take("idling_timeout", float, 900.0),
            rolling=fields.take("rolling_timeout", float, 3600.0),
            absolute=fields.take("absolute_timeout", float, 86400.0),
            stale=fields.take("stale_ttl", float, 10.0),
        )
        audience = fields.take("audience", str, "default")
        storage = fields.only("storage", "kong", default="cookie")
        fields.only("remember", False, default=False)
        fields.only("read_body_for_logout", False, default=False)
        self._logout_methods = frozenset(fields.texts("logout_methods", ("POST", "DELETE")))
        self._logout_argument = fields.take("logout_query_arg", str, "session_logout")
        self._sessions = around.sessions_of((secret, self._cookie, audience, storage), lifetimes)

    async def access(self, exchange: Exchange) -> None:
        """Recognises the cookie, or ends the session when that is what is asked for."""
        session = self._sessions.find(self._given(exchange))
        if session is None:
            return
        if exchange.method in self._logout_methods and self._asks_for_logout(exchange.query):
            self._sessions.end(session)
            exchange.told.add("Set-Cookie", self._line("") + _EXPIRED)
            raise Exit(Answer(200, source="exit"))
        exchange.session = self._sessions.refresh(session)
        if exchange.session is not session:
            exchange.told.add("Set-Cookie", self._line(exchange.session.cookie))
        exchange.headers.remove("X-Authenticated-Groups")
        exchange.identify(session.credential.consumer, session.credential)

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Begins a session for who was recognised by something else, even where the request is refused later on."""
        if exchange.credential is None or (exchange.session and exchange.session.credential == exchange.credential):
            return
        answer.headers.add("Set-Cookie", self._line(self._sessions.new(exchange.credential).cookie))

    def _given(self, exchange: Exchange) -> str:
        for pair in "; ".join(exchange.headers.all("cookie")).split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self._cookie:
                return value
        return ""

    def _asks_for_logout(self, query: str) -> bool:
        return any(name == self._logout_argument for name, _ in parse_qsl(query, keep_blank_values=True))

    def _line(self, value: str) -> str:
        return f"{self._cookie}={value}{self._flags}"


def _flags(fields: Fields) -> str:
    site = fields.only("cookie_same_site", "Strict", "Lax", "None", default="Strict")
    domain = fields.take("cookie_domain", str, "")
    return "; ".join(
        part
        for part in (
            "",
            f"Path={fields.take('cookie_path', str, '/')}",
            f"Domain={domain}" if domain else None,
            f"SameSite={site}",
            "Secure" if fields.take("cookie_secure", bool, True) else None,
            "HttpOnly" if fields.take("cookie_http_only", bool, True) else None,
        )
        if part is not None
    )
