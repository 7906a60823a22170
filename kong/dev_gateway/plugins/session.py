"""session: gives a cookie to a caller who signed in, and recognises the cookie."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import Field, PrivateAttr

from kong.dev_gateway.exchange import Answer, Exchange, Exit
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import Lifetimes, Sessions

_EXPIRED = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"


class SessionPlugin(Plugin):
    """Sessions are kept in this process's memory, Kong's in its database. Their cookies are never renewed."""

    priority = 1900
    secret: Annotated[str, Field(min_length=32)]
    storage: Literal["kong"]
    audience: str = "default"
    cookie_name: str = "session"
    cookie_path: str = "/"
    cookie_domain: str | None = None
    cookie_secure: bool = True
    cookie_http_only: bool = True
    cookie_same_site: Literal["Strict", "Lax", "None"] = "Strict"
    remember: Literal[False] = False
    idling_timeout: float = 900
    rolling_timeout: float = 3600
    absolute_timeout: float = 86400
    stale_ttl: float = 10
    logout_methods: list[str]
    logout_query_arg: str = "session_logout"
    _sessions: Sessions = PrivateAttr()

    def start(self, state: State) -> None:
        """Takes the sessions that it shares with other instances."""
        lifetimes = Lifetimes(self.idling_timeout, self.absolute_timeout)
        key = (self.secret, self.cookie_name, self.audience, self.storage)
        self._sessions = state.sessions_of(key, lifetimes)

    async def access(self, exchange: Exchange) -> None:
        """Recognises the cookie, or ends the session if the request asks for that."""
        session = self._sessions.find(self._cookie(exchange))
        if session is None:
            return
        if exchange.method in self.logout_methods and self.logout_query_arg in dict(
            parse_qsl(exchange.query, keep_blank_values=True)
        ):
            self._sessions.end(session)
            exchange.pending.append("Set-Cookie", self._line("") + _EXPIRED)
            raise Exit(Answer(200, source="exit"))
        exchange.session = session
        del exchange.headers["X-Authenticated-Groups"]
        exchange.identify(*session.caller)

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Begins a session for a caller whom another plugin has found, even if a later plugin refused the request."""
        if exchange.consumer is None or exchange.credential is None:
            return
        caller = exchange.consumer, exchange.credential
        if exchange.session is None or exchange.session.caller != caller:
            answer.headers.append("Set-Cookie", self._line(self._sessions.new(caller).cookie))

    def _cookie(self, exchange: Exchange) -> str:
        for pair in "; ".join(exchange.headers.getlist("cookie")).split(";"):
            name, _, value = pair.strip().partition("=")
            if name == self.cookie_name:
                return value
        return ""

    def _line(self, value: str) -> str:
        flags = (
            f"Path={self.cookie_path}",
            f"Domain={self.cookie_domain}" if self.cookie_domain else "",
            f"SameSite={self.cookie_same_site}",
            "Secure" if self.cookie_secure else "",
            "HttpOnly" if self.cookie_http_only else "",
        )
        return "; ".join([f"{self.cookie_name}={value}", *filter(None, flags)])
