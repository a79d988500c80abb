"""
What the ledger remembers of a registry between two passes.

Everything that a killed process would otherwise take with it: the generation, the operations under way, the changes
that still wait for them, and when things were first seen. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from shared.core.approval import Approval
from shared.core.arm import ResourceId
from shared.core.audit import Effect
from shared.core.changes import Change
from shared.core.denials import Denials
from shared.core.drifts import Drift
from shared.core.lockdown import Memory
from shared.core.mishaps import Mishap
from shared.core.outcomes import OutcomeEvent, Told
from shared.core.picture import Picture
from shared.core.registry import Json, TargetKind
from shared.core.report import Outcome, Reason, Report
from shared.core.restore import Pause, Restoration
from shared.core.storage_rules import AddedRule
from shared.core.verification import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    A long operation under way.

    Attributes:
        url: Operation URL exactly as Azure gave it (it is signed); "" where the resource's own state tells.
        due: When it deserves the next look.
        checks: How often it was looked at.
        tries: How often the write was sent.
    """

    change: Change
    started: datetime
    due: datetime
    url: str = ""
    checks: int = 0
    tries: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A target that Azure is expected to close by itself; while it is open, it alone is read."""

    target: ResourceId
    target_kind: TargetKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A hash of what is waited for, since when it has been the same, and when that was last seen."""

    what: str
    since: datetime
    seen: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One pass is writing; another one may take over once *until* is past."""

    holder: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """
    One registry's memory.

    Attributes:
        generation: Raised by every request; a message that bears an older one is dropped.
        sequence: Of the last pass that finished within this generation; an older message is a repetition.
        requested: When this generation was asked for.
        waiting_since: When the first of the requests came that no pass has brought to rest yet; None in rows of older versions.
        operations: Under way.
        pending: Changes of the last plan that still wait for an operation; carried on without a new observation.
        watch: Set while nothing but Azure's own closing of a target is waited for.
        failures: Consecutive passes that ended in a temporary error; drives the queue's backoff.
        refused: Change key to why Azure refused it in this generation; not tried again before the next request.
        repairs: Endpoint or zone group key to how often its repair was tried.
        denied_since: Change key (or "observe", or "read" and an id) to the first of an unbroken run of 403
            AuthorizationFailed, because a new role assignment takes minutes.
        first_seen: First request ever.
        missing_since: First 404 of a run of 404s.
        closed_since: When the registry's own public access was first seen closed.
        propagated: Everything was as the policy asks at some time since then.
        zones: Group id to zone names, as the targets said.
        observed: The registry was seen whole at least once.
        verified: When it was last seen whole.
        snapshots: Resource key to its network settings before the app's last closing of it.
        made: Endpoints that the app made for it, noted before they are written.
        managed_group: Its managed resource group, lower case; another one means another registry of the same name.
        approved: What this generation may do, if its request named a plan; None for whatever the policy asks.
        paused: Set while enforcement rests.
        restoring: Set while snapshots are being restored.
        verify: Set after a closing, until it is known whether the way in held.
        denials: Deny assignments as read for a request, before its first write.
        rules_added: Resource instance rules that the app added for it, noted before they are written.
        fqdns: Region to host name of the registry's data plane; None before anybody asked.
        effects: Change key to what the changes under way do, for the history.
        told: What listeners were, or are being, told last.
        outbox: Outcome events that no topic has taken yet, oldest first.
        waited: What the last passes have all waited for; None unless they wait.
        last_error: What the last deliveries of a message ended with; None once a pass has come to its end.
        indexed: What the owner index holds for it, sorted.
        nudged: Attempt of the last message that was sent because a part of it changed; 0 if none in this generation.
        renamed: When an event last told of an endpoint, a zone group or a record of it: names read before are stale.
        trace: W3C trace context of the request that made this generation.
        planned: Before this moment no pass begins, and at it one does whose message is known to be sent; None if unknown.
        drift: The last time that it was converged and then was not.
        picture: Its network as it was last seen whole.
        report: Of the last finished pass.
    """

    registry: ResourceId
    generation: int
    first_seen: datetime
    requested: datetime
    waiting_since: datetime | None = None
    sequence: int = 0
    reason: str = ""
    origin: str = ""
    caller: str = ""
    trace: str = field(default="", compare=False)
    operations: tuple[Operation, ...] = ()
    pending: tuple[Change, ...] = ()
    watch: Watch | None = None
    claim: Claim | None = None
    failures: int = 0
    refused: Mapping[str, Reason] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)
    denied_since: Mapping[str, datetime] = field(default_factory=dict)
    missing_since: datetime | None = None
    closed_since: datetime | None = None
    propagated: bool = False
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    observed: bool = False
    verified: datetime | None = None
    snapshots: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    made: tuple[ResourceId, ...] = ()
    managed_group: str = ""
    approved: Approval | None = None
    paused: Pause | None = None
    restoring: Restoration | None = None
    verify: Verification | None = None
    denials: Denials | None = None
    rules_added: tuple[AddedRule, ...] = ()
    fqdns: Mapping[str, str] | None = None
    effects: Mapping[str, Effect] = field(default_factory=dict)
    told: Told | None = None
    outbox: tuple[OutcomeEvent, ...] = ()
    waited: Waited | None = None
    last_error: Mishap | None = None
    indexed: tuple[ResourceId, ...] = ()
    nudged: int = 0
    renamed: datetime | None = None
    planned: datetime | None = None
    drift: Drift | None = None
    picture: Picture | None = None
    outcome: Outcome | None = None
    report: Report | None = None

    def memory(self, now: datetime) -> Memory:
        """What a plan made *now* has to know of earlier passes."""
        return Memory(
            now=now,
            closed_since=self.closed_since,
            propagated=self.propagated,
            repairs=self.repairs,
            rules_added=self.rules_added,
        )

    @property
    def still_denied(self) -> Mapping[str, datetime]:
        """`denied_since` for a new request: what was refused for good has its minutes again, somebody may have granted it."""
        return {key: since for key, since in self.denied_since.items() if key not in self.refused}


ROW: TypeAdapter[LedgerRow] = TypeAdapter(LedgerRow)
"""JSON form of a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSummary:
    """
    What a list shows of a row, and what the sweep needs of it; far smaller than the row.

    Attributes:
        phase: Of the last finished pass, "requested" before the first.
        at: When that pass ended; None before the first.
        due: When the next look is planned; None unless the phase is waiting.
        verified: When the registry was last seen whole; None if never.
        sentence: The first reason of the phase, shortened; "" if there is none.
        outbox: Outcome events wait for a topic.
        reason: Name of that first reason.
        findings: Codes of what no write can put right, each once.
        drift: The last one, without its changes; None if there never was one.
    """

    registry: ResourceId
    generation: int
    phase: str
    requested: datetime
    at: datetime | None = None
    due: datetime | None = None
    verified: datetime | None = None
    sentence: str = ""
    outbox: bool = False
    reason: str = ""
    findings: tuple[str, ...] = ()
    drift: Drift | None = None


type HistoryKind = Literal["request", "change", "outcome", "rejected", "poison", "undo", "pause", "resume"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """
    One line of the append-only history.

    Attributes:
        registry: None for input that names no registry (a malformed event).
        subject: What it is about: a change's key, an outcome's kind, an event's id.
        sentence: The same for a person.
        generation: The request that led to it; 0 where none did.
        origin: What asked: the id of an event or of a sweep, or the door's name.
        caller: Who asked: an object id, or the name of a key.
        digest: Of the plan it belongs to.
        before: What the change concerns, as it was seen before.
        after: The same as the change leaves it; None where it did nothing.
        attempts: How often the write was sent.
        duration_seconds: From start to result, where it has one.
        correlation: Common to everything that one request led to: its trace's id; "" where none did.
    """

    at: datetime
    registry: ResourceId | None
    kind: HistoryKind
    subject: str
    sentence: str
    origin: str = ""
    caller: str = ""
    digest: str = ""
    result: str = ""
    before: Mapping[str, Json] | None = None
    after: Mapping[str, Json] | None = None
    attempts: int = 1
    duration_seconds: float | None = None
    generation: int = 0
    correlation: str = field(default="", compare=False)


HISTORY_ENTRY: TypeAdapter[HistoryEntry] = TypeAdapter(HistoryEntry)
"""JSON form of a history entry."""
