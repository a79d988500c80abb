from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.ncrontab import InvalidSchedule, Schedule

MONDAY = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "first"),
    [
        ("0 */5 * * * *", "2026-01-05T12:05:00"),
        ("*/10 * * * * *", "2026-01-05T12:00:10"),
        ("0 0 * * * *", "2026-01-05T13:00:00"),
        ("0 30 9-17 * * MON-FRI", "2026-01-05T12:30:00"),
        ("0 0 9 * * 0", "2026-01-11T09:00:00"),
        ("0 0 0 1 JAN *", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("5,20 0 0 * * *", "2026-01-06T00:00:05"),
        ("0 10/20 12 * * *", "2026-01-05T12:10:00"),
        ("15 3 * * *", "2026-01-06T03:15:00"),
        ("0 0 0 13 * FRI", "2026-02-13T00:00:00"),
    ],
)
def test_the_first_occurrence_after_a_monday_noon_is(expression: str, first: str) -> None:
    assert Schedule.parse(expression).after(MONDAY) == datetime.fromisoformat(first).replace(tzinfo=UTC)


def test_an_occurrence_that_is_now_is_not_after_now() -> None:
    assert Schedule.parse("0 0 12 * * *").after(MONDAY) == MONDAY + timedelta(days=1)


def test_a_fraction_of_a_second_does_not_skip_the_next_second() -> None:
    moment = MONDAY + timedelta(microseconds=999_999)

    assert Schedule.parse("* * * * * *").after(moment) == MONDAY + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("", "six fields"),
        ("* * * *", "six fields"),
        ("60 * * * * *", "second '60' is not a number from 0 to 59"),
        ("0 0 0 0 * *", "day '0' is not a number from 1 to 31"),
        ("0 0 0 * * 7", "day of the week '7'"),
        ("0 0 0 * * FRY", "day of the week 'FRY'"),
        ("0 10-5 * * * *", "runs backwards"),
        ("*/0 * * * * *", "step '0'"),
        ("0 0 0 30 2 *", "never comes true"),
        ("00:05:00", "six fields"),
    ],
)
def test_a_wrong_schedule_is_refused_with_what_is_wrong(expression: str, part: str) -> None:
    with pytest.raises(InvalidSchedule, match=part):
        Schedule.parse(expression)


@given(
    seconds=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), min_size=1, max_size=3),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 -- hypothesis wants them naive
)
def test_the_next_occurrence_fits_every_field_and_is_the_first_that_does(
    seconds: set[int], minutes: set[int], hours: set[int], weekdays: set[int], start: datetime
) -> None:
    fields = [",".join(map(str, sorted(values))) for values in (seconds, minutes, hours)]
    schedule = Schedule.parse(f"{' '.join(fields)} * * {','.join(map(str, sorted(weekdays)))}")
    moment = start.replace(tzinfo=UTC)

    found = schedule.after(moment)

    expected = min(
        candidate
        for day in range(9)
        for hour in hours
        for minute in minutes
        for second in seconds
        if (candidate := _at(moment + timedelta(days=day), hour, minute, second)) > moment
        and candidate.isoweekday() % 7 in weekdays
    )
    assert found == expected


def _at(day: datetime, hour: int, minute: int, second: int) -> datetime:
    return day.replace(hour=hour, minute=minute, second=second, microsecond=0)
