"""The gate that every step of the host passes: it counts them, and kills the host at those that it was armed for."""

import time
from collections import Counter
from collections.abc import Callable, Iterable

from local.crash.points import Point, Side, Step


class HostKilled(RuntimeError):
    """The host that asked is dead; nobody waits for an answer."""


class Gate:
    """
    Counts steps, and strikes once at each point.

    Attributes:
        strikes: How often it struck since it was opened.
        unmet: Points at which it did not strike yet.
        kinds: What passed since it was opened, in the order of arrival; a refused step included.
        struck_at: When it struck last, on the monotonic clock; None before.
        last: When the last step passed, on the same clock.
    """

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.struck_at: float | None = None
        self.last = time.monotonic()
        self._numbers: Counter[str] = Counter()
        self.strikes = 0
        self.unmet: frozenset[Point] = frozenset()
        self._kill: Callable[[], object] = bool

    def open(self, points: Iterable[Point], kill: Callable[[], object]) -> None:
        """Begin to count anew; at each of *points* call *kill*, which must not return before the host is dead."""
        self.kinds, self._numbers = [], Counter()
        self.unmet, self._kill = frozenset(points), kill
        self.strikes, self.struck_at = 0, None

    def close(self) -> None:
        """Kill nobody any more."""
        self.unmet = frozenset()

    def enter(self, what: str) -> Step:
        """
        Let a step pass that has not been carried out yet.

        Raises:
            HostKilled: Not this one.
        """
        self._numbers[what] += 1
        self.kinds.append(what)
        self.last = time.monotonic()
        step = Step(what=what, number=self._numbers[what])
        self._strike(Point(step=step, side=Side.BEFORE))
        return step

    def leave(self, step: Step) -> None:
        """
        Let the answer to a step pass, which has taken effect.

        Raises:
            HostKilled: Not this one.
        """
        self.last = time.monotonic()
        self._strike(Point(step=step, side=Side.AFTER))

    def _strike(self, here: Point) -> None:
        if here not in self.unmet:
            return
        self.unmet -= {here}
        self.strikes += 1
        self.struck_at = time.monotonic()
        self._kill()
        raise HostKilled(f"the host was killed at {here}")
