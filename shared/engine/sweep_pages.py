"""
What a sweep does with one page: judge every registry on it, and hand those that need a look to the queue.

Nothing is decided here about any registry but whether a pass should look at it, and nothing of a page is kept but counts,
so that a sweep needs as much memory as one page does. Urgent registries (new, drifted, stuck ...) are all found in the
first phase and may use up all of `limits.registries_per_sweep` but a fifth, which is kept for the second phase: given-up
ones, daily verification, deleted ones. So neither the hopeless nor the routine can starve what is in the open, nor the
other way round.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, RegistryIsolationError
from shared.core.lockdown import Memory
from shared.core.plan import Plan
from shared.core.planner import ZoneTable, make_plan
from shared.core.policy import IsolationPolicy
from shared.core.requests import ReconcileRequest, RequestReason
from shared.core.sweep_verdicts import Remembered, Verdict, inspect, review
from shared.core.sweeps import Place, SweepRecord, added
from shared.engine.gather import all_of
from shared.engine.intake import Intake
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, LedgerPage
from shared.engine.records import LedgerSummary
from shared.engine.retrying import Retrier
from shared.engine.sweep_ports import Inventoried, InventoryPage, Known, Nudger

RESERVE = 5
"""One part in so many of the limit is kept for the second phase; none of a limit below it."""
_AT_ONCE = 8
_JUDGED_AT_ONCE = 25
"""Registries judged before other invocations of the process get their turn."""
_MOST_DOUBTS_NOTED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A registry and what is thought of it."""

    registry: ResourceId
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Handed:
    """What became of those that ask for a look; *unfinished* says that the step's time ran out before their end."""

    count: int
    deferred: tuple[ResourceId, ...] = ()
    unfinished: bool = False


class Pages:
    """Works pages off; holds no state of its own."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        intake: Intake,
        clock: Clock,
        policy: IsolationPolicy,
        zone_table: ZoneTable,
        nudger: Nudger | None = None,
    ) -> None:
        self._ledger = ledger
        self._intake = intake
        self._clock = clock
        self._policy = policy
        self._zone_table = zone_table
        self._nudger = nudger

    # --- what the inventory shows -------------------------------------------------------------------------------------

    async def inspect(self, record: SweepRecord, page: InventoryPage, retrier: Retrier) -> SweepRecord:
        """Work off a page of the inventory; gives the record with the page's share in it, `walk` not yet moved on."""
        part = record.walk.part(page.registries, [one.id for one in page.registries])
        ids = [one.id for one in part if self._policy.in_scope(one.id)]
        summaries = await retrier.call(lambda: self._ledger.summaries(ids)) if ids else {}
        judged: list[Judged] = []
        for group in batched(part, _JUDGED_AT_ONCE, strict=False):
            judged += [self._judge(one, summaries.get(one.id)) for one in group]
            await asyncio.sleep(0)
        limit = self._policy.limits.registries_per_sweep
        handed = await self._hand_over(record, judged, limit - limit // RESERVE, retrier)
        if not record.walk.again:
            counts = Counter(one.verdict.value for one in judged)
            record = replace(record, seen=record.seen + len(part), verdicts=added(record.verdicts, counts))
        if handed.deferred and record.inventory_next is None:
            record = replace(record, inventory_next=_place(record, handed.deferred))
        for note in (page.partial, *_doubts(part)):
            record = record.noted(note)
        return _counted(record, handed, page.queries)

    def _judge(self, one: Inventoried, remembered: Remembered | None) -> Judged:
        tags = one.registry.document.tags if one.registry else None
        scoped, now = self._policy.in_scope(one.id, tags), self._clock.now()
        plan = self._plan(one, now) if scoped else None
        verdict = inspect(plan, remembered, scoped=scoped, mode=self._policy.mode, now=now)
        return Judged(registry=one.id, verdict=verdict)

    def _plan(self, one: Inventoried, now: datetime) -> Plan | None:
        """The plan of the rows; None where they do not suffice, or break the planner: a pass then looks at Azure itself."""
        if one.registry is None:
            return None
        try:
            return make_plan(one.registry, self._policy, self._zone_table, Memory(now=now))
        except Exception as error:  # noqa: BLE001 -- one registry's odd rows must not keep all others from being judged
            sentence = error.sentence if isinstance(error, RegistryIsolationError) else repr(error)
            tell("judge", level=logging.ERROR, registry=one.id.text, error=type(error).__name__, sentence=sentence)
            return None

    # --- what the ledger knows ----------------------------------------------------------------------------------------

    def doubted(self, page: LedgerPage, record: SweepRecord) -> tuple[ResourceId, ...]:
        """The registries of *page* of which it matters whether the inventory has them."""
        rows = record.walk.part(page.rows, [row.registry for row in page.rows])
        now = self._clock.now()
        return tuple(row.registry for row in rows if self._review(row, known=False, now=now) is Verdict.MISSING)

    async def review(
        self,
        record: SweepRecord,
        page: LedgerPage,
        doubted: Sequence[ResourceId],
        known: Known | None,
        retrier: Retrier,
    ) -> SweepRecord:
        """
        Work off a page of the ledger.

        Args:
            doubted: Asked for in the inventory.
            known: Its answer; None if it gave none.
        """
        rows = record.walk.part(page.rows, [row.registry for row in page.rows])
        absent = set(doubted) - known.ids if known else set()
        sure = known is not None and not known.partial
        now = self._clock.now()
        judged = [
            Judged(
                registry=row.registry,
                verdict=self._review(row, known=(False if sure else None) if row.registry in absent else True, now=now),
            )
            for row in rows
        ]
        handed = await self._hand_over(record, judged, self._policy.limits.registries_per_sweep, retrier)
        if not record.walk.again:
            await self._wake(rows)
            record = replace(
                record,
                rows=record.rows + len(rows),
                reviews=added(record.reviews, Counter(one.verdict.value for one in judged)),
                phases=added(record.phases, Counter(row.phase for row in rows)),
            )
        if handed.deferred and record.ledger_next is None:
            record = replace(record, ledger_next=_place(record, handed.deferred))
        return _counted(record.noted(known.partial if known else ""), handed, known.queries if known else 0)

    def _review(self, row: LedgerSummary, *, known: bool | None, now: datetime) -> Verdict:
        return review(row.registry, row, known=known, scoped=self._policy.in_scope(row.registry), now=now)

    async def _wake(self, rows: Sequence[LedgerSummary]) -> None:
        """Have undelivered events of these rows delivered."""
        if self._nudger is not None:
            for row in rows:
                if row.outbox:
                    await self._nudger.wake(row.registry)

    # --- both ---------------------------------------------------------------------------------------------------------

    async def _hand_over(self, record: SweepRecord, judged: Sequence[Judged], most: int, retrier: Retrier) -> _Handed:
        """Ask for a pass over each that needs one, as long as this sweep may ask for more, and this step has time."""
        asking = [one.registry for one in judged if one.verdict.asks]
        room = max(most - record.enqueued, 0)
        count = 0
        for group in batched(asking[:room], _AT_ONCE, strict=False):
            await all_of(self._ask(record, registry, retrier) for registry in group)
            count += len(group)
            if self._clock.now() >= retrier.deadline and count < len(asking):
                return _Handed(count=count, unfinished=True)
        return _Handed(count=count, deferred=tuple(asking[room:]))

    async def _ask(self, record: SweepRecord, registry: ResourceId, retrier: Retrier) -> None:
        request = ReconcileRequest(
            registry=registry,
            reason=RequestReason.SWEEP,
            origin=record.id,
            caller=record.caller,
            received=self._clock.now(),
        )
        try:
            await retrier.call(lambda: self._intake.accept(request))
        except ChangedUnderneath:  # others ask for it so often that this request is one of many
            tell("sweep-crowded", registry=registry.text, sweep=record.id)


def _place(record: SweepRecord, deferred: Sequence[ResourceId]) -> Place:
    return Place(cursor=record.walk.cursor, registry=deferred[0].text)


def _counted(record: SweepRecord, handed: _Handed, queries: int) -> SweepRecord:
    return replace(
        record,
        enqueued=record.enqueued + handed.count,
        deferred=record.deferred + len(handed.deferred),
        queries=record.queries + queries,
        walk=replace(record.walk, again=handed.unfinished),
    )


def _doubts(part: Sequence[Inventoried]) -> list[str]:
    told = [f"{one.id.name}: {one.doubt}" for one in part if one.doubt]
    return told[:_MOST_DOUBTS_NOTED]
