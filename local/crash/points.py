"""
Where the host is killed: at which step of the path, and on which side of it.

Steps are told apart by what they are and by how many of their kind came before, not by a running number: the app does
much at once, so a running number would mean another step in every run.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Self

_WRITTEN = re.compile(r"(?P<what>.+)#(?P<number>[1-9][0-9]{0,5})\.(?P<side>before|after)")


class Side(StrEnum):
    """Of a step."""

    BEFORE = "before"
    """The host asked, and nothing came of it."""
    AFTER = "after"
    """It took effect, and the host never learns of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One request of the host.

    Attributes:
        what: Channel, method and kind of thing, such as `azure PUT privateEndpoints`.
        number: Of its kind, from 1.
    """

    what: str
    number: int

    def __str__(self) -> str:
        return f"{self.what}#{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One place to kill the host at."""

    step: Step
    side: Side

    def __str__(self) -> str:
        return f"{self.step}.{self.side}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read what `str` wrote.

        Raises:
            ValueError: It is not a point.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"'{text}' is not a point; one looks like 'azure PUT privateEndpoints#2.after'.")
        return cls(step=Step(what=found["what"], number=int(found["number"])), side=Side(found["side"]))


def numbered(kinds: Iterable[str]) -> Iterator[Step]:
    """Steps of *kinds* in their order."""
    seen: Counter[str] = Counter()
    for what in kinds:
        seen[what] += 1
        yield Step(what=what, number=seen[what])


def points_of(steps: Iterable[Step]) -> tuple[Point, ...]:
    """Both sides of every step."""
    return tuple(Point(step=step, side=side) for step, side in product(steps, Side))


def chosen(asked: str, points: tuple[Point, ...]) -> tuple[Point, ...]:
    """
    Pick those that a command line asks for.

    Args:
        asked: `all`, or numbers in *points* from 1, ranges of them, or points as written, separated by commas.

    Raises:
        ValueError: A part of *asked* is neither.
    """
    if asked == "all":
        return points
    return tuple(point for part in asked.split(",") for point in _part(part.strip(), points))


def _part(part: str, points: tuple[Point, ...]) -> tuple[Point, ...]:
    first, dash, last = part.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        return (Point.parse(part),)
    begin, end = int(first), int(last or first)
    if not 1 <= begin <= end <= len(points):
        raise ValueError(f"'{part}' is out of range: there are {len(points)} points.")
    return points[begin - 1 : end]
