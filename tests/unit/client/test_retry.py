from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from hypothesis import given
from hypothesis import strategies as st

from lockleaf.client.transport.retries import RetryPolicy, retry_after

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)


@given(attempt=st.integers(1, 4))
def test_waits_stay_below_a_bound_that_doubles(attempt: int) -> None:
    policy = RetryPolicy(attempts=5, base=0.25, cap=8.0)
    wait = policy.wait(attempt)
    assert wait is not None
    assert 0 <= wait <= 0.25 * 2 ** (attempt - 1)


@given(attempt=st.integers(1, 10_000))
def test_no_wait_is_longer_than_the_cap(attempt: int) -> None:
    assert RetryPolicy(cap=8.0).bound(attempt) <= 8.0


def test_the_last_attempt_is_not_followed_by_a_wait() -> None:
    assert RetryPolicy(attempts=3).wait(2) is not None
    assert RetryPolicy(attempts=3).wait(3) is None


def test_what_the_server_asks_for_is_waited_at_least() -> None:
    wait = RetryPolicy().wait(1, asked=5.0)
    assert wait is not None
    assert wait >= 5.0


def test_a_server_that_asks_for_too_much_patience_is_given_up() -> None:
    assert RetryPolicy(patience=30.0).wait(1, asked=31.0) is None


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    assert retry_after("7", NOW) == 7.0
    assert retry_after(format_datetime(NOW + timedelta(seconds=9), usegmt=True), NOW) == 9.0
    assert retry_after(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) == 0.0
    assert retry_after(None, NOW) is None


@given(st.text(max_size=40))
def test_any_text_in_retry_after_is_survived(text: str) -> None:
    seconds = retry_after(text, NOW)
    assert seconds is None or seconds >= 0
