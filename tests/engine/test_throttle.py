"""The process's model of Azure's limits: what is closed stays closed, what waits keeps its order."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.azure_limits import MANAGER_READS, NETWORK_WRITES, Bucket, bucket
from shared.core.errors import Throttled
from shared.engine.throttle import LONGEST_WAIT, Throttle

READS = bucket(MANAGER_READS, "sub")
WRITES = bucket(NETWORK_WRITES, "sub")


class Time:
    """Seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sent(throttle: Throttle, of: Bucket, calls: int) -> list[float]:
    """Waits of that many calls made at this moment, until one is refused."""
    waits = []
    for _ in range(calls):
        try:
            waits.append(throttle.take([of]))
        except Throttled:
            break
    return waits


def test_at_ease_every_call_goes_at_once_however_many_there_are() -> None:
    throttle = Throttle(Time())

    assert sent(throttle, READS, 2000) == [0.0] * 2000


def test_after_a_refusal_nobody_calls_before_its_end() -> None:
    time = Time()
    throttle = Throttle(time)
    throttle.refused(WRITES, timedelta(seconds=30))

    with pytest.raises(Throttled) as refusal:
        throttle.take([READS, WRITES])
    time.now += 29.0
    soon = throttle.pause([WRITES])
    time.now += 1.1

    assert refusal.value.retry_after == timedelta(seconds=30)
    assert soon == pytest.approx(1.0)
    assert throttle.take([WRITES]) == 0.0
    assert throttle.level(READS) == READS.limit.size, "what was not sent was not counted"


def test_another_subscription_is_not_held_up() -> None:
    throttle = Throttle(Time())
    throttle.refused(WRITES, timedelta(seconds=30))

    assert throttle.take([bucket(NETWORK_WRITES, "other")]) == 0.0


def test_what_azure_says_is_left_slows_callers_down_before_the_refusal() -> None:
    throttle = Throttle(Time())
    throttle.told(READS, 3)

    waits = sent(throttle, READS, 1000)

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert waits[3:] == pytest.approx([(place + 1) / 25 for place in range(len(waits) - 3)])
    assert len(waits) == 3 + 25 * LONGEST_WAIT


def test_a_full_bucket_is_at_ease_again() -> None:
    time = Time()
    throttle = Throttle(time)
    throttle.told(READS, 0)
    assert throttle.pressed(READS)

    time.now += 10.1

    assert not throttle.pressed(READS)
    assert throttle.pressure(READS) == 0.0


def test_refusals_that_the_model_did_not_expect_slow_it_down() -> None:
    time = Time()
    throttle = Throttle(time)
    throttle.refused(WRITES, timedelta(seconds=1))
    alone = throttle.refill(WRITES)
    for _ in range(3):
        time.now += 10
        throttle.refused(WRITES, timedelta(seconds=1))

    assert throttle.refill(WRITES) == pytest.approx(alone * 0.8**3)


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("pass"), st.floats(0, 20)),
            st.tuples(st.just("call"), st.just(0.0)),
            st.tuples(st.just("refuse"), st.floats(0.5, 60)),
            st.tuples(st.just("tell"), st.floats(0, 250)),
        ),
        max_size=60,
    )
)
def test_no_call_is_let_through_before_a_refusal_ends_and_none_waits_for_long(
    steps: list[tuple[str, float]],
) -> None:
    time = Time()
    throttle = Throttle(time)
    closed = 0.0
    for kind, value in steps:
        match kind:
            case "pass":
                time.now += value
            case "refuse":
                throttle.refused(READS, timedelta(seconds=value))
                closed = max(closed, time.now + value)
            case "tell":
                throttle.told(READS, value)
            case _:
                ahead = throttle.pause([READS])
                if ahead > LONGEST_WAIT:
                    with pytest.raises(Throttled):
                        throttle.take([READS])
                else:
                    assert time.now + throttle.take([READS]) >= closed - 1e-6
