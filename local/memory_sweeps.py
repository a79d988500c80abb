"""
What a sweep needs of the outside, in memory: records, queue, and an inventory that says what a test tells it to say.

Records and messages keep the same promises as those on Azure Storage (one contract test suite holds both). They are the
entities that the table would hold, so that what does not survive a table does not survive here.
"""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from local.memory import MemoryWorkQueue
from shared.cloud.ledger_entities import Entity
from shared.cloud.sweep_entities import from_sweep_entity, sweep_key, sweep_place, to_sweep_entity
from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, RegistryIsolationError
from shared.core.registry import Registry
from shared.core.sweeps import SweepMessage, SweepRecord
from shared.engine.sweep_ports import Inventoried, InventoryPage, Known, SweepEntry, SweepPage


class MemorySweeps:
    """`engine.sweep_ports.Sweeps` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[Entity, str]] = {}
        self._current = ""
        self._etags = itertools.count(1)

    async def current(self) -> SweepEntry | None:
        return await self.read(self._current)

    async def begin(self, record: SweepRecord, after: str) -> SweepEntry:
        await asyncio.sleep(0)
        if self._current != after:
            raise ChangedUnderneath("Another sweep was begun at the same moment.", operation="begin sweep")
        self._current = record.id
        return self._put(record)

    async def read(self, sweep: str) -> SweepEntry | None:
        await asyncio.sleep(0)
        kept = self._rows.get(sweep_key(sweep) or "")
        return SweepEntry(record=from_sweep_entity(kept[0]), etag=kept[1]) if kept else None

    async def write(self, record: SweepRecord, etag: str) -> SweepEntry:
        await asyncio.sleep(0)
        _, current = self._rows.get(sweep_key(record.id) or "", (None, None))
        if current != etag:
            raise ChangedUnderneath(f"Somebody else wrote sweep {record.id} in the meantime.", operation="write sweep")
        return self._put(record)

    async def list(self, limit: int = 100, after: str = "") -> SweepPage:
        place = sweep_place(after) if after else ""
        await asyncio.sleep(0)
        keys = [key for key in sorted(self._rows) if key > place]
        shown = keys[: max(limit, 0)]
        more = bool(shown) and len(keys) > len(shown)
        sweeps = tuple(from_sweep_entity(self._rows[key][0]) for key in shown)
        return SweepPage(sweeps=sweeps, after=shown[-1] if more else "")

    def _put(self, record: SweepRecord) -> SweepEntry:
        entity = to_sweep_entity(record)
        etag = f'W/"{next(self._etags)}"'
        self._rows[str(entity["RowKey"])] = (entity, etag)
        return SweepEntry(record=record, etag=etag)


class MemorySweepQueue:
    """`engine.sweep_ports.SweepQueue` on a queue in memory; a trigger takes the texts from *texts*."""

    def __init__(self, texts: MemoryWorkQueue) -> None:
        self.texts = texts

    async def send(self, message: SweepMessage, delay: timedelta = timedelta()) -> None:
        await asyncio.sleep(0)
        self.texts.put(message.encode(), delay)


@dataclass(slots=True, kw_only=True)
class MemoryInventory:
    """
    An inventory of the registries that a test puts in, in the order of their ids, with the faults that it asks for.

    Attributes:
        shown: What it shows, by id; None where its rows do not suffice.
        size: Registries on a page.
        partial: Why its answers are partial; "" if they are not.
        failures: Raised by the next calls, one each.
        pages, asked: Cursors and questions so far.
    """

    shown: dict[ResourceId, Registry | None] = field(default_factory=dict)
    size: int = 100
    partial: str = ""
    failures: list[RegistryIsolationError] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    asked: list[ResourceId] = field(default_factory=list)

    async def page(self, cursor: str = "") -> InventoryPage:
        """Cursors are the last id of the page before."""
        await self._called()
        self.pages.append(cursor)
        ids = sorted(one for one in self.shown if one.key > cursor)
        here = ids[: self.size]
        registries = tuple(self._row(one) for one in here)
        more = here[-1].key if len(ids) > len(here) else ""
        return InventoryPage(registries=registries, cursor=more, partial=self.partial, queries=1)

    async def known(self, registries: Sequence[ResourceId]) -> Known:
        await self._called()
        self.asked += registries
        ids = frozenset(one for one in registries if one in self.shown)
        return Known(ids=ids, partial=self.partial, queries=1)

    def _row(self, registry: ResourceId) -> Inventoried:
        rows = self.shown[registry]
        return Inventoried(id=registry, registry=rows, doubt="" if rows else "Its rows are incomplete.")

    async def _called(self) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
