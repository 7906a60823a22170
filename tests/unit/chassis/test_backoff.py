from datetime import timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from chassis.background_jobs import backoff


@pytest.mark.parametrize(("failures", "pause"), [(1, 2), (2, 4), (3, 8), (4, 10), (5, 10)])
def test_a_pause_doubles_up_to_the_longest(failures: int, pause: int) -> None:
    assert backoff(failures, 2, 10) == pause


@given(st.integers(1, 10**6))
def test_no_number_of_failures_exceeds_the_longest_pause(failures: int) -> None:
    first, longest = timedelta(seconds=1), timedelta(hours=1)
    assert first <= backoff(failures, first, longest) <= longest
