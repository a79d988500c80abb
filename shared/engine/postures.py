"""
Where all registries stand, from the ledger: page by page, so that one page is all that is ever in memory.

Azure is not asked: every posture is as old as the registry's last pass, and says how old that is.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from shared.core.arm import ResourceId
from shared.core.policy import IsolationPolicy
from shared.core.posture import Posture, at_least, posture_of
from shared.core.report import Severity
from shared.engine.ports import Clock
from shared.engine.records import LedgerRow

PAGE = 200
"""Rows read at once: whole rows are large, and to read them keeps other invocations of the process waiting."""
MOST = 10_000
"""Rows that one report looks through; the rest is to be had by the place where it ended."""
GONE = "gone"
_AT_ONCE = 20
"""Registries judged before other invocations get their turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A registry that the ledger knows; *row* is None where this version cannot read it, for the reason *problem*."""

    registry: ResourceId
    phase: str
    row: LedgerRow | None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPage:
    """Some of them in the ledger's order; *after* asks for the next page, "" after the last one."""

    known: tuple[Known, ...]
    after: str = ""


class RowSource(Protocol):
    """A ledger that gives whole rows by the page."""

    async def list_whole_rows(
        self, *, phase: str = "", subscription: str = "", limit: int = 100, after: str = ""
    ) -> KnownPage:
        """
        List rows as `Ledger.list_rows` does, whole, those of one subscription if given.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """
    Which registries a report is about.

    Attributes:
        severity: Only findings of this or worse, and only registries that have one; None for all.
    """

    phase: str = ""
    subscription: str = ""
    severity: Severity | None = None

    @property
    def filters(self) -> dict[str, str]:
        """What was asked for, by name."""
        severity = self.severity.value if self.severity else ""
        asked = {"phase": self.phase, "subscription": self.subscription, "severity": severity}
        return {name: value for name, value in asked.items() if value}


class Postures:
    """Walks through the ledger for one report at a time; one per process."""

    def __init__(self, source: RowSource, policy: IsolationPolicy, clock: Clock) -> None:
        self._source = source
        self._policy = policy
        self._clock = clock

    async def walk(self, wanted: Wanted, place: "Walk") -> AsyncIterator[Posture]:
        """
        Give postures one after the other, and note in *place* where the walk has come to.

        Raises:
            MalformedCursor: *place* is none of this ledger's.
        """
        while place.most > 0:
            page = await self._source.list_whole_rows(
                phase=wanted.phase, subscription=wanted.subscription, limit=min(PAGE, place.most), after=place.after
            )
            for at, known in enumerate(page.known):
                if at % _AT_ONCE == 0:
                    await asyncio.sleep(0)
                posture = self._posture(known, wanted)
                if posture is not None:
                    yield posture
            place.most -= len(page.known)
            place.after = page.after
            if not page.after:
                return

    def _posture(self, known: Known, wanted: Wanted) -> Posture | None:
        """Nothing for a registry that the policy no longer looks after, or that is gone, unless that is asked for."""
        if not self._policy.in_scope(known.registry) or (known.phase == GONE != wanted.phase):
            return None
        row = known.row
        posture = posture_of(
            known.registry,
            known.phase,
            row.report if row else None,
            self._policy,
            now=self._clock.now(),
            picture=row.picture if row else None,
            verified=row.verified if row else None,
            unknown=known.problem,
        )
        return posture if wanted.severity is None else only(posture, wanted.severity)


def only(posture: Posture, severity: Severity) -> Posture | None:
    """*posture* with the findings of *severity* or worse; None if it has none."""
    kept = at_least(posture, severity)
    return posture.with_findings(kept) if kept else None


@dataclass(slots=True, kw_only=True)
class Walk:
    """
    How far one report has come.

    Attributes:
        after: Where the rest begins; "" at the end.
        most: Rows that may still be read.
    """

    after: str = ""
    most: int = MOST

    def stop(self) -> None:
        """Read no further page."""
        self.most = 0
