"""The retry schedule of Event Grid: its waits, its minimums and its ends."""

from datetime import UTC, datetime, timedelta

import pytest

from local.simulator.event_grid_schedule import Again, GiveUp, RetryPolicy, after_failure

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
PATIENT = RetryPolicy()


def failed(
    status: int | None,
    *,
    attempt: int = 1,
    now: datetime = START,
    policy: RetryPolicy = PATIENT,
    webhook: bool = True,
    jitter: float = 0.0,
) -> Again | GiveUp:
    return after_failure(
        status=status, attempt=attempt, published=START, now=now, policy=policy, webhook=webhook, jitter=jitter
    )


def test_the_waits_grow_as_documented() -> None:
    seconds = []
    for attempt in range(1, 11):
        answer = failed(500, attempt=attempt, policy=RetryPolicy(time_to_live=timedelta(days=99)))
        assert isinstance(answer, Again)
        seconds.append((answer.at - START).total_seconds())
    assert seconds == [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200]


@pytest.mark.parametrize(("status", "least"), [(404, 300), (408, 120), (503, 30), (500, 10), (None, 10)])
def test_some_statuses_wait_longer(status: int | None, least: int) -> None:
    assert failed(status) == Again(at=START + timedelta(seconds=least))


def test_randomness_lengthens_a_wait_by_a_tenth_at_most() -> None:
    assert failed(500, jitter=1.0) == Again(at=START + timedelta(seconds=11))


@pytest.mark.parametrize(("status", "outcome"), [(400, "BadRequest"), (403, "Forbidden"), (413, "PayloadTooLarge")])
def test_some_statuses_end_the_delivery_at_once(status: int, outcome: str) -> None:
    assert failed(status) == GiveUp(reason=outcome, outcome=outcome)


def test_an_unauthorized_webhook_is_final_but_an_unauthorized_function_is_tried_again() -> None:
    assert failed(401) == GiveUp(reason="Unauthorized", outcome="Unauthorized")
    assert failed(401, webhook=False) == Again(at=START + timedelta(minutes=5))


def test_the_last_attempt_is_the_last() -> None:
    policy = RetryPolicy.of({"maxDeliveryAttempts": 3})
    assert isinstance(failed(500, attempt=2, policy=policy), Again)
    assert failed(500, attempt=3, policy=policy) == GiveUp(reason="MaxDeliveryAttemptsExceeded", outcome="GenericError")


def test_nothing_is_retried_beyond_its_time_to_live() -> None:
    policy = RetryPolicy.of({"eventTimeToLiveInMinutes": 5})
    assert failed(500, attempt=4, now=START + timedelta(seconds=100), policy=policy) == GiveUp(
        reason="TimeToLiveExceeded", outcome="GenericError"
    )


def test_defaults_are_30_attempts_in_a_day() -> None:
    assert RetryPolicy.of(None) == RetryPolicy(max_delivery_attempts=30, time_to_live=timedelta(days=1))
