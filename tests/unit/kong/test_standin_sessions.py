"""How long sessions last, and that there are never too many."""

from kong.standin import sessions
from kong.standin.consumers import Consumer, Credential
from kong.standin.sessions import Lifetimes, Sessions

ADA = Credential("ada", Consumer("1", "ada"))
LIFETIMES = Lifetimes(idling=1800, rolling=7200, absolute=43200, stale=10)


def test_cookies_cannot_be_guessed_and_are_never_the_same() -> None:
    kept = Sessions(LIFETIMES)
    cookies = {kept.new(ADA).cookie for _ in range(100)}
    assert len(cookies) == 100
    assert all(len(cookie) >= 43 for cookie in cookies)
    assert kept.find("") is None


def test_the_oldest_sessions_make_room(monkeypatch: object) -> None:
    kept = Sessions(LIFETIMES)
    first = kept.new(ADA)
    for _ in range(sessions._MOST):
        last = kept.new(ADA)
    assert len(kept) == sessions._MOST
    assert kept.find(first.cookie) is None
    assert kept.find(last.cookie) is last


def test_a_session_is_renewed_once_however_often_its_old_cookie_comes() -> None:
    now = 0.0
    kept = Sessions(Lifetimes(idling=0, rolling=100, absolute=0, stale=10), lambda: now)
    old = kept.new(ADA)
    now = 80
    new = kept.refresh(old)
    assert new.cookie != old.cookie
    assert kept.refresh(old) is old
    assert len(kept) == 2
