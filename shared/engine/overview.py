"""
All registries at a glance, for a page that somebody opens in the morning.

What is how, what needs a person, what was repaired meanwhile. Counting needs every row, and tables are read a thousand at a
time, so the rows are read in the background and kept in the process for a while; every answer says of when it is. One
reading at a time, however many ask.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from shared.core.errors import RegistryIsolationError
from shared.core.policy import IsolationPolicy
from shared.core.sweeps import SweepRecord
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger
from shared.engine.records import LedgerSummary

FRESH = timedelta(seconds=10)
"""While what was read is younger than this, nothing is read again."""
STALE = timedelta(minutes=5)
"""What is older than this is worth a short wait: nobody has looked for long."""
PATIENCE = timedelta(milliseconds=150)
"""Longest that an answer waits for the rows; then it says what was read so far."""
_REST = 10
"""A reading that took long is repeated after that many times as long, so that looking never fills the process."""
_PAGE = 999
"""One row less than an answer of Tables holds: the ledger asks for one more to know whether there is one."""
_MOST_INPUT = 100
_DAY = timedelta(days=1)
_ATTENTION = {"failed": 0, "blocked": 1, "audited": 2, "paused": 3, "requested": 4, "waiting": 4, "superseded": 4}
_CALM = 9
_MOST_SENTENCES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why some registries are blocked or failed: the error's name, how many, and what to do in the words of a few."""

    phase: str
    reason: str
    rows: tuple[LedgerSummary, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What to do, each sentence once."""
        return tuple(dict.fromkeys(row.sentence for row in self.rows if row.sentence))[:_MOST_SENTENCES]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """
    What the ledger said at one moment.

    Attributes:
        at: When its reading ended, or how far it is now.
        rows: In scope, what needs a person first.
        complete: Every row is there; otherwise the reading goes on.
        sweep: The newest one; None if there never was one.
        unreadable: Input of the last day that nobody could read; *more_unreadable* if even more.
        problem: Why it could not be read again; "" if it could.
    """

    at: datetime
    rows: tuple[LedgerSummary, ...] = ()
    complete: bool = True
    sweep: SweepRecord | None = None
    unreadable: int = 0
    more_unreadable: bool = False
    problem: str = ""

    @cached_property
    def phases(self) -> Mapping[str, int]:
        """How many registries are in each phase."""
        return Counter(row.phase for row in self.rows)

    @cached_property
    def findings(self) -> Mapping[str, int]:
        """How many registries have each finding, the most frequent first."""
        return dict(Counter(code for row in self.rows for code in row.findings).most_common())

    @cached_property
    def subscriptions(self) -> Mapping[str, int]:
        """How many registries are in each subscription, the largest first."""
        return dict(Counter(row.registry.subscription.lower() for row in self.rows).most_common())

    @cached_property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What stands in the way, what concerns most registries first."""
        groups: dict[tuple[str, str], list[LedgerSummary]] = {}
        for row in self.rows:
            if row.phase in {"blocked", "failed"}:
                groups.setdefault((row.phase, row.reason), []).append(row)
        found = [Obstacle(phase=phase, reason=reason, rows=tuple(rows)) for (phase, reason), rows in groups.items()]
        return tuple(sorted(found, key=lambda each: (each.phase != "failed", -len(each.rows), each.reason)))

    def repaired_on(self, now: datetime) -> tuple[LedgerSummary, ...]:
        """Registries that drifted and were put right on *now*'s day (UTC), the last one first."""
        found = [(row.drift.repaired, row) for row in self.rows if row.drift and row.drift.repaired]
        today = [(at, row) for at, row in found if at.date() == now.date()]
        return tuple(row for _, row in sorted(today, key=lambda each: each[0], reverse=True))

    def drifting(self) -> tuple[LedgerSummary, ...]:
        """Registries that have drifted and are not put right yet."""
        return tuple(row for row in self.rows if row.drift and not row.drift.repaired and row.phase != "gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which registries somebody wants to see; "" for whatever."""

    text: str = ""
    phase: str = ""
    subscription: str = ""
    finding: str = ""
    reason: str = ""
    drift: bool = False

    def of(self, overview: Overview, now: datetime) -> tuple[LedgerSummary, ...]:
        """Those registries of *overview*, in its order."""
        rows = (*overview.drifting(), *overview.repaired_on(now)) if self.drift else overview.rows
        words = self.text.lower().split()
        return tuple(row for row in rows if self._fits(row) and all(word in row.registry.key for word in words))

    def _fits(self, row: LedgerSummary) -> bool:
        return (
            self.phase in {"", row.phase}
            and self.subscription.lower() in {"", row.registry.subscription.lower()}
            and (not self.finding or self.finding in row.findings)
            and self.reason in {"", row.reason}
        )


@dataclass(slots=True, kw_only=True)
class _Reading:
    task: asyncio.Task[None]
    rows: list[LedgerSummary]


class Board:
    """
    Keeps the overview; one per process.

    Args:
        newest_sweep: Reads the record of the newest sweep.
    """

    def __init__(
        self,
        ledger: Ledger,
        policy: IsolationPolicy,
        clock: Clock,
        newest_sweep: Callable[[], Awaitable[SweepRecord | None]],
    ) -> None:
        self._ledger = ledger
        self._policy = policy
        self._clock = clock
        self._newest_sweep = newest_sweep
        self._kept: Overview | None = None
        self._reading: _Reading | None = None
        self._error: RegistryIsolationError | None = None
        self._next: datetime | None = None

    def forget(self) -> None:
        """Somebody acted: the next look reads again."""
        self._next = None

    def begin(self) -> None:
        """Start reading if it is time to; for somebody who will look in a moment."""
        if self._reading is None and (self._next is None or self._clock.now() >= self._next):
            rows: list[LedgerSummary] = []
            self._reading = _Reading(task=asyncio.create_task(self._read(rows)), rows=rows)

    async def look(self) -> Overview:
        """
        Tell what was read last, or, the first time, what could be read in a moment.

        Raises:
            RegistryIsolationError: The ledger cannot be read, and nothing was read before.
        """
        self.begin()
        now, reading = self._clock.now(), self._reading
        if reading is not None and (self._kept is None or now - self._kept.at > STALE):
            await asyncio.wait({reading.task}, timeout=PATIENCE.total_seconds())
        if self._kept is not None:
            return self._kept
        if self._error is not None:
            raise self._error
        rows = reading.rows if reading else []
        return Overview(at=self._clock.now(), rows=_sorted(rows), complete=False)

    async def _read(self, rows: list[LedgerSummary]) -> None:
        began = time.monotonic()
        try:
            self._kept, self._error = await self._whole(rows), None
        except RegistryIsolationError as error:
            tell("overview", error=error.name, sentence=error.sentence)
            self._error = error
            if self._kept is not None:
                self._kept = replace(self._kept, problem=error.sentence)
        finally:
            self._reading = None
            took = timedelta(seconds=time.monotonic() - began)
            self._next = self._clock.now() + max(FRESH, _REST * took)

    async def _whole(self, rows: list[LedgerSummary]) -> Overview:
        after = ""
        while True:
            page = await self._ledger.list_rows(limit=_PAGE, after=after)
            rows += [row for row in page.rows if self._policy.in_scope(row.registry)]
            after = page.after
            if not after:
                break
        sweep = await self._newest_sweep()
        now = self._clock.now()
        rejected = await self._ledger.history_page(None, _MOST_INPUT + 1)
        recent = sum(entry.at >= now - _DAY for entry in rejected.entries)
        return Overview(
            at=now,
            rows=_sorted(rows),
            sweep=sweep,
            unreadable=min(recent, _MOST_INPUT),
            more_unreadable=recent > _MOST_INPUT,
        )


def _sorted(rows: list[LedgerSummary]) -> tuple[LedgerSummary, ...]:
    """What needs a person first, then by name."""
    return tuple(
        sorted(rows, key=lambda row: (_ATTENTION.get(row.phase, _CALM), row.registry.name.lower(), row.registry))
    )
