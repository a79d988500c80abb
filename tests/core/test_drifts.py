"""When something drifted and when it was put right."""

from datetime import timedelta

from shared.core.drifts import Drift
from tests.core.worlds import NOW

HOUR = timedelta(hours=1)


def test_repairs_of_one_day_are_counted() -> None:
    first = Drift.again(None, NOW, ("close it",)).put_right(NOW + HOUR)
    second = Drift.again(first, NOW + 2 * HOUR, ("close it",)).put_right(NOW + 3 * HOUR)

    assert (first.number, second.number) == (1, 2)
    assert (second.found, second.repaired) == (NOW + 2 * HOUR, NOW + 3 * HOUR)


def test_a_drift_of_another_day_begins_the_count_anew() -> None:
    first = Drift.again(None, NOW, ()).put_right(NOW + HOUR)
    tomorrow = Drift.again(first, NOW + timedelta(days=1), ()).put_right(NOW + timedelta(days=1, hours=1))
    overnight = Drift.again(first, NOW + 11 * HOUR, ()).put_right(NOW + 13 * HOUR)

    assert tomorrow.number == 1
    assert overnight.number == 1


def test_what_is_put_right_already_is_not_counted_again() -> None:
    drift = Drift.again(None, NOW, ()).put_right(NOW)

    assert drift.put_right(NOW + HOUR) == drift


def test_only_the_first_changes_are_kept() -> None:
    assert len(Drift.again(None, NOW, tuple(str(number) for number in range(9))).changes) == 5
