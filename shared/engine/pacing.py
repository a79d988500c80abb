"""
When to look again.

A look costs requests, a late look costs time. The first look at an operation comes when the recorded ones were usually
done, later ones at a grain that grows with the time already spent, so the relative delay stays small. A look that nothing
could follow from is not made. Retry-After of operation URLs is not followed: it grows 10, 20, 40 s and wastes half the time.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.changes import (
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    DeleteZoneGroup,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.egress_changes import AllowEgress, AllowSystemRegistry
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from shared.engine.records import Operation

# Seconds until the first look, a little over the usual recorded run of each operation (public SDK test recordings of 2023
# to 2026): endpoints 32-59 s, most of them 32, zones and links 34-38 s, zone groups 2-4 s, registry updates 5-35 s,
# deletes 10-30 s.
_FIRST_LOOK: dict[type[Change], float] = {
    CreateZone: 36.0,
    LinkZone: 36.0,
    CreateEndpoint: 33.0,
    DeleteEndpoint: 10.0,
    PutZoneGroup: 3.5,
    DeleteZoneGroup: 8.0,
    ClosePublicAccess: 16.0,
    AllowEgress: 2.5,
    AllowSystemRegistry: 2.5,
    RestoreSettings: 6.0,
    AddResourceRules: 2.0,
    RemoveResourceRules: 2.0,
}
_GRAIN = 0.1
_CLOSING_GRAIN = 0.5  # an update of a registry took 5 s here and 35 s there, so early looks would mostly be in vain
_PROPAGATION_GRAIN = 0.15
_CREATION_GRAIN = 0.2
_SHORTEST = 2.0
_LONGEST = 60.0
_CREATION_FIRST = 20.0
# How long it takes is not on record. Not a round figure: a look at the very moment would be followed by the event of it.
_PROPAGATION_FIRST = 32.0
_BACKOFF_FIRST = 5.0
_BACKOFF_LONGEST = 600.0

# Read in one list call for all of them, so asking after each costs nothing.
_LISTED = (CreateEndpoint, CreateZone)


class Pacing:
    """
    Computes delays; one per process.

    Args:
        factor: Multiplies every delay; 1 for Azure, less where the simulated Azure runs faster than the real one.
        rng: Source of jitter, so that registries created together do not poll together.
    """

    def __init__(self, factor: float = 1.0, rng: random.Random | None = None) -> None:
        self._factor = factor
        self._rng = rng or random.Random()

    def first_look(self, change: Change, started: datetime) -> datetime:
        """When an operation that begins now deserves its first look."""
        return started + timedelta(seconds=_FIRST_LOOK[type(change)] * self._factor)

    def looked(self, operation: Operation, now: datetime) -> Operation:
        """*operation* after a look that found it running."""
        spent = (now - operation.started).total_seconds()
        grain = _CLOSING_GRAIN if isinstance(operation.change, ClosePublicAccess) else _GRAIN
        pause = min(max(_SHORTEST * self._factor, spent * grain), _LONGEST)
        return replace(operation, checks=operation.checks + 1, due=now + timedelta(seconds=pause))

    def propagation(self, waited: timedelta) -> timedelta:
        """Until the next look at a target that Azure is expected to close by itself."""
        seconds = max(_PROPAGATION_FIRST * self._factor, waited.total_seconds() * _PROPAGATION_GRAIN)
        return timedelta(seconds=min(seconds, _LONGEST))

    def creation(self, waited: timedelta) -> timedelta:
        """Until the next look at a registry that Azure still creates (23 s to 16 min on record)."""
        seconds = max(_CREATION_FIRST * self._factor, waited.total_seconds() * _CREATION_GRAIN)
        return timedelta(seconds=min(seconds, _LONGEST))

    def scaled(self, delay: timedelta) -> timedelta:
        """A planner's delay in this world's time."""
        return delay * self._factor

    def backoff(self, failures: int) -> timedelta:
        """After *failures* consecutive temporary errors: 5 s doubling to 10 min, jittered down by up to a third."""
        seconds = min(_BACKOFF_FIRST * 2 ** min(failures, 20), _BACKOFF_LONGEST)
        return timedelta(seconds=seconds * self._factor * self._rng.uniform(2 / 3, 1))


def next_look(operations: Sequence[Operation], pending: Sequence[Change]) -> datetime:
    """
    When a look at *operations* can lead to something.

    That is as soon as one of *pending* may wait for nothing any more, at the latest when all operations are due. An
    operation that no change waits for is looked at with the last ones.
    """
    due = {key_of(operation.change): operation.due for operation in operations}
    awaited = ([due[key] for key in change.depends_on if key in due] for change in pending)
    return min([max(due.values()), *(max(dues) for dues in awaited if dues)])


def scouts(operations: Sequence[Operation], now: datetime) -> tuple[Operation, ...]:
    """
    Choose whom to ask: of operations of one kind that began together only the first, as they end together.

    What the platform lists in one call is asked after wholly; what is not due yet not at all.
    """
    chosen: dict[tuple[str, datetime], Operation] = {}
    listed = []
    for operation in operations:
        if operation.due > now:
            continue
        if isinstance(operation.change, _LISTED):
            listed.append(operation)
        else:
            chosen.setdefault((operation.change.kind, operation.due), operation)
    return (*listed, *chosen.values())


def companions(operations: Sequence[Operation], finished: Sequence[Operation]) -> tuple[Operation, ...]:
    """Operations of the same kind and beginning as *finished* ones, worth asking after now."""
    alike = {(operation.change.kind, operation.due) for operation in finished}
    done = {key_of(operation.change) for operation in finished}
    return tuple(
        operation
        for operation in operations
        if (operation.change.kind, operation.due) in alike and key_of(operation.change) not in done
    )
