"""
What the app tells the world about a registry, and when: one event for each change of what it last told.

    Isolated   the policy is met
    Drifted    what was told Isolated is not, or is not kept, any more
    Blocked    a person must act; again when the reasons change
    Failed     given up on a bug or a broken dependency
    Removed    the registry is gone, and with it what the app made for it

Waiting in between is nobody's business. `told_by` compares what was told last with where the registry has come to rest,
so that a pass that is repeated, or that changes nothing, tells nothing. Pure; the ledger keeps the events until a topic
has taken them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from shared.core.arm import ResourceId
from shared.core.registry import Json
from shared.core.report import (
    Audited,
    BlockedOutcome,
    Converged,
    Exempt,
    Failed,
    Gone,
    Outcome,
    Paused,
    Reason,
    Superseded,
    Waiting,
)

MOST_KEPT = 20
"""Events that wait for a topic, per registry; a topic that is away for so many changes is away for days."""
TYPE_PREFIX = "RegistryIsolation."

# Together at most 40 KB of ASCII JSON an event, so that twenty of them stay below the megabyte that a topic takes at once
# and each below the 64 KB of a single billing unit (documentation of posting to custom topics).
_MOST_REASONS = 5
_MOST_NAME = 60
_MOST_SENTENCE = 400
_MOST_CHANGES = 8
_MOST_CHANGE = 150


class OutcomeKind(StrEnum):
    """What can be told; `RegistryIsolation.` before it makes the CloudEvents type."""

    ISOLATED = "Isolated"
    DRIFTED = "Drifted"
    BLOCKED = "Blocked"
    FAILED = "Failed"
    REMOVED = "Removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """
    The last thing told of a registry.

    Attributes:
        reasons: Names of the reasons it was told with, in alphabetical order.
        phase: Of the registry then.
        number: How many events there have been for it.
    """

    kind: OutcomeKind
    reasons: tuple[str, ...] = ()
    phase: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeEvent:
    """
    One event, complete: whoever publishes it needs nothing else.

    Attributes:
        id: The same however often the same change is told.
        number: Counts the events of one registry; Event Grid delivers out of order.
        before: Phase that was told last, "" for the first event.
        phase: Of the registry now.
        changes: What the app has to do, for Drifted.
        findings: How many findings its report holds.
        digest: Of the plan that led here, "" if it asked for nothing.
    """

    id: str
    kind: OutcomeKind
    registry: ResourceId
    at: datetime
    number: int
    generation: int
    before: str
    phase: str
    reasons: tuple[Reason, ...] = ()
    changes: tuple[str, ...] = ()
    findings: int = 0
    digest: str = ""

    @property
    def type(self) -> str:
        """The CloudEvents type."""
        return f"{TYPE_PREFIX}{self.kind.value}"

    @property
    def link(self) -> str:
        """Where the registry's report is, relative to the app's own address."""
        registry = self.registry
        return f"/api/registries/{registry.subscription}/{registry.resource_group}/{registry.name}"

    @property
    def data(self) -> dict[str, Json]:
        """The CloudEvents data."""
        return {
            "registry": self.registry.text,
            "sequence": self.number,
            "generation": self.generation,
            "phase": {"before": self.before, "after": self.phase},
            "reasons": [{"name": each.name, "sentence": each.sentence} for each in self.reasons],
            "changes": list(self.changes),
            "findings": self.findings,
            "planDigest": self.digest,
            "link": self.link,
        }


def told_by(told: Told | None, outcome: Outcome) -> tuple[OutcomeKind, tuple[Reason, ...]] | None:
    """
    What has to be told of a registry that came to *outcome*; None if *told* already says it, or nothing is certain yet.

    Drift that is found while the app can still act is told when it is found (`drifted`), not here.
    """
    now = _meaning(told, outcome)
    if now is None:
        return None
    kind, reasons = now
    if told is not None and told.kind is kind and told.reasons == _names(reasons):
        return None
    return now


def drifted(told: Told | None) -> bool:
    """Tell whether changes that are found now are drift: the last word was that nothing was left to do."""
    return told is not None and told.kind is OutcomeKind.ISOLATED


def _meaning(told: Told | None, outcome: Outcome) -> tuple[OutcomeKind, tuple[Reason, ...]] | None:
    match outcome:
        case Converged():
            return OutcomeKind.ISOLATED, ()
        case BlockedOutcome():
            return OutcomeKind.BLOCKED, outcome.reasons
        case Failed():
            return OutcomeKind.FAILED, (outcome.reason,)
        case Gone():
            return (OutcomeKind.REMOVED, ()) if told is not None else None  # nobody was told that it existed
        case Audited() | Exempt() | Paused():
            return (OutcomeKind.DRIFTED, _no_longer_kept(outcome)) if drifted(told) else None
        case Waiting() | Superseded():
            return None
        case _:
            assert_never(outcome)


def _no_longer_kept(outcome: Audited | Exempt | Paused) -> tuple[Reason, ...]:
    """Why a registry that comes to rest here cannot count as isolated any more."""
    match outcome:
        case Audited():
            sentence = f"The policy only audits; {outcome.changes} changes would be made if it enforced."
            return (Reason(name="AuditMode", sentence=sentence), *outcome.reasons)
        case Exempt():
            return (Reason(name="Exempt", sentence=outcome.why),)
        case Paused():
            by = outcome.by or "an unnamed caller"
            return (Reason(name="Paused", sentence=f"Enforcement rests since {by} asked for it: {outcome.why}"),)
        case _:
            assert_never(outcome)


def make_event(
    told: Told | None,
    kind: OutcomeKind,
    *,
    registry: ResourceId,
    first_seen: datetime,
    at: datetime,
    generation: int,
    phase: str,
    reasons: Sequence[Reason] = (),
    changes: Sequence[str] = (),
    findings: int = 0,
    digest: str = "",
) -> OutcomeEvent:
    """The event that follows *told*; its texts are cut to what an event may weigh."""
    number = told.number + 1 if told else 1
    return OutcomeEvent(
        id=_event_id(registry, first_seen, number, kind),
        kind=kind,
        registry=registry,
        at=at,
        number=number,
        generation=generation,
        before=told.phase if told else "",
        phase=phase,
        reasons=tuple(_shortened(each) for each in reasons[:_MOST_REASONS]),
        changes=tuple(_cut(each, _MOST_CHANGE) for each in changes[:_MOST_CHANGES]),
        findings=findings,
        digest=digest,
    )


def remembered(event: OutcomeEvent, reasons: Iterable[Reason]) -> Told:
    """What *event*, told for *reasons*, makes the last word."""
    return Told(kind=event.kind, reasons=_names(reasons), phase=event.phase, number=event.number)


def kept(events: Sequence[OutcomeEvent]) -> tuple[tuple[OutcomeEvent, ...], int]:
    """The newest of *events*, as many as may wait, and how many were dropped."""
    return tuple(events[-MOST_KEPT:]), max(len(events) - MOST_KEPT, 0)


def _event_id(registry: ResourceId, first_seen: datetime, number: int, kind: OutcomeKind) -> str:
    """The same change gets the same id in every process; a row that was lost and begun again gets others."""
    text = "\n".join([registry.key, first_seen.isoformat(), str(number), kind.value])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _names(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(sorted({reason.name for reason in reasons}))


def _shortened(reason: Reason) -> Reason:
    return Reason(name=_cut(reason.name, _MOST_NAME), sentence=_cut(reason.sentence, _MOST_SENTENCE))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
