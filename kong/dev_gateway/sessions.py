"""Sessions in memory. They end after idling, at their maximum age, at logout, and with the process.

A new session is unknown for a short time, as in Kong, which stores the row after the login response.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from kong.dev_gateway.callers import Caller

Clock = Callable[[], float]

ROW_DELAY_SECONDS = 0.02
"""How long a new session is unknown; five times as long for every tenth, because a real Kong took up to 100 ms."""
_MISS_SECONDS = 1.0  # how long Kong caches a lookup that found no session: KONG_DB_CACHE_NEG_TTL
_MAX_SESSIONS = 10_000
_TOUCH_SECONDS = 60  # Kong's touch_threshold: the last activity is updated at most this often


@dataclass(frozen=True)
class Lifetimes:
    """How long a session lasts, in seconds."""

    idling: float
    absolute: float


@dataclass
class Session:
    """A session and its caller. Times are in seconds of the clock."""

    cookie: str
    caller: Caller
    begun: float
    touched: float
    known: float
    """The time from which the session is found."""
    was_missed: bool = False


class Sessions:
    """The sessions that share a cookie name."""

    def __init__(self, lifetimes: Lifetimes, clock: Clock, row_delay_seconds: float) -> None:
        self._lifetimes = lifetimes
        self._clock = clock
        self._row_delay_seconds = row_delay_seconds
        self._created = 0
        self._sessions: dict[str, Session] = {}

    def new(self, caller: Caller) -> Session:
        """Start a session. At 10,000 sessions, the oldest one ends."""
        now = self._clock()
        self._created += 1
        delay = self._row_delay_seconds * (1 if self._created % 10 else 5)
        session = Session(secrets.token_urlsafe(32), caller, now, now, now + delay)
        if len(self._sessions) >= _MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session.cookie] = session
        return session

    def find(self, cookie: str) -> Session | None:
        """Return the session of a cookie and record its use, or None if it has ended or is not known yet."""
        now, session = self._clock(), self._sessions.get(cookie)
        if session is None:
            return None
        if now - session.touched >= self._lifetimes.idling or now - session.begun >= self._lifetimes.absolute:
            self.end(session)
            return None
        if now < session.known:
            if not session.was_missed:
                session.known, session.was_missed = now + _MISS_SECONDS, True
            return None
        if now - session.touched >= _TOUCH_SECONDS:
            session.touched = now
        return session

    def end(self, session: Session) -> None:
        """End a session. All copies of its cookie become invalid."""
        self._sessions.pop(session.cookie, None)
