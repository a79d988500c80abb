"""
Declared transitions: what will happen at a known moment, in a stable order.

A rule never waits. It says `agenda.later(at, fn)` and the world runs `fn(at)` when its virtual time gets there; two
transitions of one moment run in the order in which they were declared.
"""

import heapq
from collections.abc import Callable
from datetime import datetime

type Transition = Callable[[datetime], None]


class Agenda:
    """Due transitions, earliest first."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Transition]] = []
        self._count = 0

    def later(self, at: datetime, transition: Transition) -> None:
        """Run *transition* once virtual time reaches *at*; it is given *at*."""
        self._count += 1
        heapq.heappush(self._due, (at, self._count, transition))

    def next_due(self) -> datetime | None:
        """The earliest moment at which something will happen."""
        return self._due[0][0] if self._due else None

    def take(self, now: datetime) -> tuple[datetime, Transition] | None:
        """The earliest transition that is due by *now*, removed; `None` when there is none left."""
        if not self._due or self._due[0][0] > now:
            return None
        at, _, transition = heapq.heappop(self._due)
        return at, transition
