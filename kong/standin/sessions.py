"""Sessions, kept in memory: they end by idling, by age and by logout, and all of them with the process."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from kong.standin.consumers import Credential

Clock = Callable[[], float]

_MOST = 10_000
_TOUCH_SECONDS = 60  # Kong's touch_threshold: activity counts only when the last that counted is so long ago
_RENEW_AFTER = 0.75  # of the rolling timeout


@dataclass(frozen=True)
class Lifetimes:
    """How long a session lasts, in seconds; 0 is for ever."""

    idling: float
    rolling: float
    absolute: float
    stale: float
    """How long a cookie that was renewed is still good."""


@dataclass
class Session:
    """Who has signed in, and when."""

    cookie: str
    credential: Credential
    begun: float
    renewed: float
    touched: float
    ends: float | None = None
    """When it ends because a newer cookie has taken its place."""


class Sessions:
    """The sessions that share a cookie; `Sessions.new` and `renew` give cookies, the others are asked with them."""

    def __init__(self, lifetimes: Lifetimes, clock: Clock = time.time) -> None:
        self._lifetimes = lifetimes
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def new(self, credential: Credential) -> Session:
        """Begins a session. Where there are too many, the oldest one ends."""
        now = self._clock()
        return self._keep(Session(secrets.token_urlsafe(32), credential, now, now, now))

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie, if it has not ended."""
        session = self._sessions.get(cookie)
        if session is None or self._is_over(session):
            self._sessions.pop(cookie, None)
            return None
        return session

    def refresh(self, session: Session) -> Session:
        """Notes that a session is in use; gives the one to go on with, which is a new one when it was renewed."""
        now, rolling = self._clock(), self._lifetimes.rolling
        if rolling and session.ends is None and now - session.renewed >= rolling * _RENEW_AFTER:
            session.ends = now + self._lifetimes.stale
            return self._keep(replace(session, cookie=secrets.token_urlsafe(32), renewed=now, touched=now, ends=None))
        if now - session.touched >= _TOUCH_SECONDS:
            session.touched = now
        return session

    def end(self, session: Session) -> None:
        """Ends a session: its cookie is worth nothing from now on."""
        self._sessions.pop(session.cookie, None)

    def _keep(self, session: Session) -> Session:
        if len(self._sessions) >= _MOST:
            self._sessions = {key: each for key, each in self._sessions.items() if not self._is_over(each)}
        if len(self._sessions) >= _MOST:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[session.cookie] = session
        return session

    def _is_over(self, session: Session) -> bool:
        now, limits = self._clock(), self._lifetimes
        return (
            (session.ends is not None and now >= session.ends)
            or bool(limits.idling and now - session.touched >= limits.idling)
            or bool(limits.rolling and now - session.renewed >= limits.rolling)
            or bool(limits.absolute and now - session.begun >= limits.absolute)
        )
