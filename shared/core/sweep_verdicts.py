"""
What a sweep thinks of one registry: leave it alone, or have a pass look at it.

Pure, and harmless by construction: a verdict only ever asks for a pass, and the pass reads everything from Azure itself.
So rows that are stale, partial or wrong cost a look, never a write.

    what the ledger last said      rows: plan is empty        rows: plan is not empty     rows do not suffice
    nothing                        new                        new                         new
    asked for, or waiting          at work, or stuck          at work, or stuck           at work, or stuck
    converged                      compliant                  drifted                     doubtful
    audited                        recovered                  audited (enforce: drifted)  doubtful
    blocked, failed                recovered                  tried                       tried
    exempt                         new                        new                         exempt
    paused                         paused                     paused                      paused
    gone                           new                        new                         new

`inspect` is that table; `review` judges by the ledger alone what the table leaves over: given-up registries whose turn has
come again, daily verification, and registries that the inventory does not know.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol

from shared.core.arm import ResourceId
from shared.core.plan import Plan

DAY = timedelta(days=1)
LATE = timedelta(minutes=20)
"""A planned look this long overdue was lost: after a crash the Functions host hides a message for ten minutes."""
TRY_AGAIN = timedelta(hours=3, minutes=45)
"""Between two tries of what is blocked or failed, and between two looks at doubtful rows: every fourth hourly sweep."""
SOON_AGAIN = timedelta(minutes=45)
"""Between two looks at one registry where rows and ledger disagree: every hourly sweep, and only one of two at once."""
GONE_SHOWS = timedelta(minutes=30)
"""How long the inventory may go on showing a registry that ARM says is gone."""


class Verdict(StrEnum):
    """What a sweep thinks of a registry."""

    NEW = "new"
    """No pass ever decided about it: its event was missed, or the policy did not ask for it until now."""
    DRIFTED = "drifted"
    """It was isolated, and the rows say that it is not."""
    STUCK = "stuck"
    """A pass was planned and never came: its message is lost."""
    RECOVERED = "recovered"
    """It was given up or reported only, and the rows say that it is isolated."""
    DOUBTFUL = "doubtful"
    """The rows do not suffice to judge it."""
    MISSING = "missing"
    """The ledger knows it and the inventory does not: perhaps it was deleted; only ARM can say."""
    RETRY = "retry"
    """A person had to act, or it failed; perhaps that has been put right."""
    VERIFY = "verify"
    """It is its turn to be looked at precisely, as every registry is once a day."""

    COMPLIANT = "compliant"
    AT_WORK = "at-work"
    AUDITED = "audited"
    TRIED = "tried"
    """Looked at lately without success, or without agreement between rows and ledger; its turn comes again."""
    PAUSED = "paused"
    EXEMPT = "exempt"
    GONE = "gone"

    @property
    def asks(self) -> bool:
        """A pass is to look at the registry."""
        return self in _ASKING


_ASKING = frozenset(
    {
        Verdict.NEW,
        Verdict.DRIFTED,
        Verdict.STUCK,
        Verdict.RECOVERED,
        Verdict.DOUBTFUL,
        Verdict.MISSING,
        Verdict.RETRY,
        Verdict.VERIFY,
    }
)


class Remembered(Protocol):
    """What the ledger has of a registry, as far as it matters here."""

    @property
    def phase(self) -> str:
        """Of the last finished pass, "requested" before the first."""
        ...

    @property
    def requested(self) -> datetime:
        """When somebody last asked for it."""
        ...

    @property
    def at(self) -> datetime | None:
        """When its last pass ended."""
        ...

    @property
    def due(self) -> datetime | None:
        """When its next pass is planned, while it waits."""
        ...

    @property
    def verified(self) -> datetime | None:
        """When it was last seen whole."""
        ...


def inspect(
    plan: Plan | None, remembered: Remembered | None, *, scoped: bool, mode: Literal["enforce", "audit"], now: datetime
) -> Verdict:
    """
    Judge a registry by what the inventory shows of it.

    Args:
        plan: Made from the rows; None where they do not suffice.
        remembered: None where the ledger has no row.
        scoped: The policy looks after it.
        mode: Of the policy.
    """
    if not scoped:
        return Verdict.EXEMPT
    if remembered is None:
        return Verdict.NEW
    if (chain := _chain(remembered, now)) is not None:
        return chain
    if remembered.phase == "paused":
        return Verdict.PAUSED
    if remembered.phase == "gone":
        return Verdict.NEW if _rested(remembered, now, GONE_SHOWS) else Verdict.TRIED
    if remembered.phase == "exempt":
        return Verdict.EXEMPT if plan is None else Verdict.NEW
    if plan is None:
        due = remembered.phase not in _GIVEN_UP and _rested(remembered, now, TRY_AGAIN)
        return Verdict.DOUBTFUL if due else Verdict.TRIED
    return _compared(plan, remembered, mode=mode, now=now)


def _compared(plan: Plan, remembered: Remembered, *, mode: Literal["enforce", "audit"], now: datetime) -> Verdict:
    """Judge a registry about which rows and ledger both have something to say."""
    if plan.converged:
        if remembered.phase == "converged":
            return Verdict.COMPLIANT
        return Verdict.RECOVERED if _rested(remembered, now, SOON_AGAIN) else Verdict.TRIED
    if remembered.phase == "audited":
        return Verdict.AUDITED if mode == "audit" else Verdict.DRIFTED
    return Verdict.DRIFTED if remembered.phase == "converged" else Verdict.TRIED


def review(registry: ResourceId, remembered: Remembered, *, known: bool | None, scoped: bool, now: datetime) -> Verdict:
    """
    Judge a registry by its ledger row alone.

    Args:
        known: Whether the inventory has it; None if it could not say for sure.
        scoped: The policy looks after it, by its id.
    """
    if not scoped:
        return Verdict.EXEMPT
    if (chain := _chain(remembered, now)) is not None:
        return chain
    if remembered.phase in _LEFT_ALONE:
        return _LEFT_ALONE[remembered.phase]
    if known is False:
        return Verdict.MISSING if _rested(remembered, now, SOON_AGAIN) else Verdict.TRIED
    if remembered.phase == "paused":
        return Verdict.PAUSED
    if remembered.phase in _GIVEN_UP:
        return Verdict.RETRY if _rested(remembered, now, TRY_AGAIN) else Verdict.TRIED
    if remembered.verified is None or remembered.verified < turn(registry, now):
        return Verdict.VERIFY
    return Verdict.AUDITED if remembered.phase == "audited" else Verdict.COMPLIANT


_GIVEN_UP = frozenset({"blocked", "failed"})
_LEFT_ALONE: Mapping[str, Verdict] = {"gone": Verdict.GONE, "exempt": Verdict.EXEMPT}


def turn(registry: ResourceId, now: datetime) -> datetime:
    """
    The latest moment at which it was *registry*'s turn to be verified.

    Each registry has a time of day that follows from its id, so that the turns are spread evenly over the day whatever
    the schedule of the sweeps: every sweep verifies whose turn came since they were last seen whole.
    """
    digest = hashlib.sha256(registry.key.encode()).digest()
    seconds = int.from_bytes(digest[:8]) % int(DAY.total_seconds())
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(seconds=seconds)
    return today if today <= now else today - DAY


def _chain(remembered: Remembered, now: datetime) -> Verdict | None:
    """AT_WORK or STUCK while passes are planned; None once the last one has spoken."""
    if remembered.at is None or remembered.requested > remembered.at:
        expected = remembered.requested
    elif remembered.phase == "waiting":
        expected = remembered.due or remembered.at
    else:
        return None
    return Verdict.STUCK if now - expected > LATE else Verdict.AT_WORK


def _rested(remembered: Remembered, now: datetime, duration: timedelta) -> bool:
    return remembered.at is None or now - remembered.at >= duration
