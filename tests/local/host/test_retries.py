"""When a failed function runs again, and which policies Azure would not take."""

import random
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest

from local.host.protos import RpcRetryOptions
from local.host.retries import ENDLESS, InvalidRetryPolicy, RetryPolicy, Strategy, declared

SECOND = timedelta(seconds=1)
BACKOFF = RetryPolicy(strategy=Strategy.EXPONENTIAL_BACKOFF, most=9, minimum=10 * SECOND, maximum=timedelta(minutes=5))


def options(**members: Any) -> RpcRetryOptions:
    given = {"retry_strategy": "exponential_backoff", "max_retry_count": 9}
    return RpcRetryOptions(**(given | {"minimum_interval": 10 * SECOND, "maximum_interval": 300 * SECOND} | members))


def test_a_policy_is_read_as_the_worker_tells_it() -> None:
    assert RetryPolicy.of(options()) == BACKOFF


@pytest.mark.parametrize(
    ("members", "part"),
    [
        ({"retry_strategy": "exponentialBackoff"}, "the strategy is 'exponentialBackoff'"),
        ({"max_retry_count": -2}, "the number of retries is -2"),
        ({"minimum_interval": 301 * SECOND}, "the minimum 0:05:01 is longer than the maximum 0:05:00"),
    ],
)
def test_what_the_host_in_azure_would_not_load_is_refused(members: dict[str, Any], part: str) -> None:
    with pytest.raises(InvalidRetryPolicy, match=part):
        RetryPolicy.of(options(**members))


@pytest.mark.parametrize("seed", range(20))
def test_backoff_begins_with_the_minimum_and_doubles_up_to_the_maximum(seed: int) -> None:
    rng = random.Random(seed)
    delays = [BACKOFF.delay(retry, rng).total_seconds() for retry in range(1, 10)]

    assert delays[0] == 10
    for delay, grown in zip(delays[1:], [10, 20, 40, 80, 160, 320, 640, 1280], strict=True):
        assert min(10 + 0.8 * grown, 300) <= delay <= min(10 + 1.2 * grown, 300)


def test_a_policy_ends_unless_it_has_no_end() -> None:
    assert BACKOFF.allows(9)
    assert not BACKOFF.allows(10)
    endless = RetryPolicy(strategy=Strategy.FIXED_DELAY, most=ENDLESS, minimum=SECOND, maximum=SECOND)
    assert endless.allows(10**9)
    assert endless.delay(10**9, random.Random(1)) == SECOND


def test_backoff_without_end_stays_at_its_maximum() -> None:
    assert BACKOFF.delay(10**9, random.Random(1)) == BACKOFF.maximum


def test_the_policy_of_a_decorated_function_is_what_the_worker_reads() -> None:
    blueprint = func.Blueprint()

    @blueprint.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    @blueprint.retry(
        strategy="exponential_backoff", max_retry_count="9", minimum_interval="00:00:10", maximum_interval="00:05:00"
    )
    def patient(timer: func.TimerRequest) -> None: ...

    @blueprint.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    def hasty(timer: func.TimerRequest) -> None: ...

    assert declared(patient) == BACKOFF
    assert declared(hasty) is None
