"""session: sets a cookie for an authenticated caller and identifies later requests by it."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from pydantic import Field, PrivateAttr

from kong.dev_gateway.exchange import Exchange, Exit, Response
from kong.dev_gateway.plugins.base import Plugin, State
from kong.dev_gateway.sessions import Lifetimes, Sessions

_EXPIRED = "; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"


class SessionPlugin(Plugin):
    """Unlike Kong, keeps sessions in memory instead of the database and never renews cookies."""

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
        """Use the sessions shared with the other instances that have the same settings."""
        lifetimes = Lifetimes(self.idling_timeout, self.absolute_timeout)
        key = (self.secret, self.cookie_name, self.audience, self.storage)
        self._sessions = state.sessions_of(key, lifetimes)

    async def access(self, exchange: Exchange) -> None:
        """Identify the caller by the cookie. For a logout, end the session and raise Exit with 200."""
        session = self._sessions.find(self._cookie(exchange))
        if session is None:
            return
        if exchange.method in self.logout_methods and self.logout_query_arg in dict(
            parse_qsl(exchange.query, keep_blank_values=True)
        ):
            self._sessions.end(session)
            exchange.pending.append("Set-Cookie", self._line("") + _EXPIRED)
            raise Exit(Response(200, source="exit"))
        exchange.session = session
        del exchange.headers["X-Authenticated-Groups"]
        exchange.identify(*session.caller)

    def header_filter(self, exchange: Exchange, response: Response) -> None:
        """Start a session if another plugin identified the caller, even if a later plugin refused the request."""
        if exchange.consumer is None or exchange.credential is None:
            return
        caller = exchange.consumer, exchange.credential
        if exchange.session is None or exchange.session.caller != caller:
            response.headers.append("Set-Cookie", self._line(self._sessions.new(caller).cookie))

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
