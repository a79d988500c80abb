"""
What the sweep needs from the outside, as roles: the inventory, its own records and its own queue.

The same promises hold as in `engine.ports`: errors of the tree only, no retries, no waiting.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.core.arm import ResourceId
from shared.core.registry import Registry
from shared.core.sweeps import SweepMessage, SweepRecord

__all__ = [
    "Inventoried",
    "Inventory",
    "InventoryPage",
    "Known",
    "Nudger",
    "SweepEntry",
    "SweepMessage",
    "SweepPage",
    "SweepQueue",
    "Sweeps",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventoried:
    """
    One registry as the inventory has it, which may be minutes behind Azure.

    Attributes:
        id: As the inventory spells it.
        registry: What the planner needs, from rows alone; None when the rows do not suffice.
        doubt: Why they do not suffice, for a person; "" beside a registry.
    """

    id: ResourceId
    registry: Registry | None
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryPage:
    """
    Some registries in a stable order.

    Attributes:
        cursor: Where the next page begins; "" after the last one.
        partial: Why rows may be missing from this page, for a person; "" when the inventory answered in full.
        queries: How many queries it took.
    """

    registries: tuple[Inventoried, ...]
    cursor: str = ""
    partial: str = ""
    queries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Which of the registries asked for the inventory has; *partial* and *queries* as in a page."""

    ids: frozenset[ResourceId]
    partial: str = ""
    queries: int = 0


class Inventory(Protocol):
    """All registries at little cost. Eventually consistent: **never** a reason to write or delete, only to look."""

    async def page(self, cursor: str = "") -> InventoryPage:
        """
        Read one page of the registries in the policy's subscriptions, those out of its scope included.

        Raises:
            Throttled: The inventory's quota is used up; `retry_after` says until when.
            ChangedUnderneath: *cursor* is not understood any more; begin again.
        """
        ...

    async def known(self, registries: Sequence[ResourceId]) -> Known:
        """Tell which of *registries* the inventory has; absence proves nothing, ARM has to confirm it."""
        ...


class SweepQueue(Protocol):
    """Where a sweep's next step is asked for."""

    async def send(self, message: SweepMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*, visible after *delay*."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepEntry:
    """A record and the ETag under which it was read."""

    record: SweepRecord
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPage:
    """Some sweeps, newest first; *after* asks for older ones, "" when there are none."""

    sweeps: tuple[SweepRecord, ...]
    after: str = ""


class Sweeps(Protocol):
    """The records of all sweeps, of which one is the current one."""

    async def current(self) -> SweepEntry | None:
        """Read the sweep that was begun last; None before the first."""
        ...

    async def begin(self, record: SweepRecord, after: str) -> SweepEntry:
        """
        Make *record* the current sweep, in one step, if sweep *after* is ("": if there is none).

        Raises:
            ChangedUnderneath: Another one is.
        """
        ...

    async def read(self, sweep: str) -> SweepEntry | None:
        """Read a sweep by its id; None if there is none, whatever *sweep* looks like."""
        ...

    async def write(self, record: SweepRecord, etag: str) -> SweepEntry:
        """
        Write *record* if nobody wrote since *etag*.

        Raises:
            ChangedUnderneath: Somebody did.
        """
        ...

    async def list(self, limit: int = 100, after: str = "") -> SweepPage:
        """
        List at most *limit* sweeps, newest first, that are older than the one *after* stands for.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        ...


class Nudger(Protocol):
    """Takes up what lies undelivered; the sweep finds it and leaves the rest to whoever keeps it."""

    async def wake(self, registry: ResourceId) -> None:
        """Have what the ledger holds for others about *registry* delivered."""
        ...
