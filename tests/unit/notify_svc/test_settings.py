import pytest
from pydantic import ValidationError

from chassis.settings import load
from notify_svc.domain import Backoff
from notify_svc.settings import NotifySettings


def test_each_process_has_its_own_consumer_name() -> None:
    assert NotifySettings().consumer.split("-")[-1].isdigit()


def test_the_environment_is_read_by_its_documented_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://queue:1/0")
    monkeypatch.setenv("TASK_GRPC_TARGET", "tasks:2")
    monkeypatch.setenv("NOTIFY_CONSUMER", "one")
    settings = load(NotifySettings)
    assert (settings.redis_url, settings.task_grpc_target, settings.consumer) == ("redis://queue:1/0", "tasks:2", "one")


def test_a_timeout_longer_than_the_lease_is_refused() -> None:
    with pytest.raises(ValidationError, match="LEASE"):
        NotifySettings(delivery_timeout_seconds=30, delivery_lease_seconds=30)


@pytest.mark.parametrize("url", ["http://x", "", "localhost:6379"])
def test_an_invalid_redis_url_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        NotifySettings(redis_url=url)


def test_pauses_double_up_to_the_longest_and_have_jitter() -> None:
    backoff = Backoff(first_ms=100, longest_ms=1000, jitter=lambda: 1.0)
    assert [backoff.pause_ms(attempts) for attempts in (1, 2, 3, 4, 5, 1000)] == [100, 200, 400, 800, 1000, 1000]
    assert Backoff(first_ms=100, longest_ms=1000, jitter=lambda: 0.5).pause_ms(1) == 50


def test_a_receiver_may_request_a_longer_pause_up_to_the_longest_and_not_a_shorter_one() -> None:
    backoff = Backoff(first_ms=100, longest_ms=1000, jitter=lambda: 1.0)
    assert [backoff.pause_ms(1, asked) for asked in (None, 0, 0.05, 0.5, 10**9)] == [100, 100, 100, 500, 1000]
