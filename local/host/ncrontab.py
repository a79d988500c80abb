"""
NCRONTAB, the schedule language of timer triggers: `{second} {minute} {hour} {day} {month} {day-of-week}`, in UTC.

Each field takes `*`, a number, a name (JAN, MON), a range, a list and a step (`*/5`, `10-20/2`, `3/10`); five fields
mean second 0. Unlike in Unix cron, a day must satisfy both day fields (NCRONTAB library and the timer trigger's page).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HORIZON_YEARS = 8  # the longest gap between two 29ths of February, around 2100

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class InvalidSchedule(ValueError):
    """Not an NCRONTAB expression, or one that never comes true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    name: str
    least: int
    most: int
    names: Sequence[str] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        values: set[int] = set()
        for part in text.split(","):
            values.update(self._part(part))
        return tuple(sorted(values))

    def _part(self, part: str) -> range:
        body, slash, step_text = part.partition("/")
        step = self._number(step_text, "step", least=1, most=self.most) if slash else 1
        if body == "*":
            return range(self.least, self.most + 1, step)
        first_text, dash, last_text = body.partition("-")
        first = self._value(first_text)
        last = self._value(last_text) if dash else self.most if slash else first
        if last < first:
            raise InvalidSchedule(f"its {self.name} has the range {body}, which runs backwards")
        return range(first, last + 1, step)

    def _value(self, text: str) -> int:
        for index, name in enumerate(self.names):
            if text.upper()[:3] == name and text.isalpha():
                return index + self.least
        return self._number(text, self.name, least=self.least, most=self.most)

    def _number(self, text: str, what: str, *, least: int, most: int) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise InvalidSchedule(f"its {what} {text!r} is not a number from {least} to {most}")
        return int(text)


_FIELDS = (
    _Field(name="second", least=0, most=59),
    _Field(name="minute", least=0, most=59),
    _Field(name="hour", least=0, most=23),
    _Field(name="day", least=1, most=31),
    _Field(name="month", least=1, most=12, names=_MONTHS),
    _Field(name="day of the week", least=0, most=6, names=_DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    expression: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    """0 is Sunday."""

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """
        Understand *expression*.

        Raises:
            InvalidSchedule: With what is wrong.
        """
        texts = expression.split()
        if len(texts) == len(_FIELDS) - 1:
            texts = ["0", *texts]
        if len(texts) != len(_FIELDS):
            raise InvalidSchedule(f"The schedule {expression!r} is not an NCRONTAB expression: it has not six fields.")
        try:
            parsed = [field.parse(text) for field, text in zip(_FIELDS, texts, strict=True)]
        except InvalidSchedule as error:
            raise InvalidSchedule(f"The schedule {expression!r} is not an NCRONTAB expression: {error}.") from error
        seconds, minutes, hours, days, months, weekdays = parsed
        schedule = cls(
            expression=expression,
            seconds=seconds,
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=weekdays,
        )
        schedule.after(datetime(2000, 1, 1, tzinfo=UTC))
        return schedule

    def after(self, moment: datetime) -> datetime:
        """
        The first occurrence later than *moment*.

        Raises:
            InvalidSchedule: There is none, as for the 30th of February.
        """
        start = (moment.astimezone(UTC) + timedelta(seconds=1)).replace(microsecond=0)
        for day in self._matching_days(start.date()):
            earliest = start.time() if day == start.date() else time(0)
            found = self._first_time(earliest)
            if found is not None:
                return datetime.combine(day, found, tzinfo=UTC)
        raise InvalidSchedule(f"The schedule {self.expression!r} never comes true.")

    def _matching_days(self, first: date) -> Iterator[date]:
        day = first
        while day.year <= first.year + HORIZON_YEARS:
            if day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                yield day
            day += timedelta(days=1)

    def _first_time(self, earliest: time) -> time | None:
        for hour in self.hours:
            if hour < earliest.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in self.seconds:
                    found = time(hour, minute, second)
                    if found >= earliest:
                        return found
        return None
