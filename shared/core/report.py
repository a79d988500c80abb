"""
What a pass has to say: findings, conditions, results of changes and one outcome.

Closed unions of frozen values; the ledger, the logs and the HTTP doors show them and nobody adds meaning later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shared.core.arm import ResourceId


class Severity(StrEnum):
    """How much a finding matters to somebody who wants nothing in the open."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that no write of the app can put right. *code* is stable and names a section of docs/findings.md."""

    code: str
    severity: Severity
    sentence: str
    resource: ResourceId | None = None

    @property
    def link(self) -> str:
        """Where the documentation explains it."""
        return f"docs/findings.md#{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why work stopped or waits: *name* is a leaf of the error tree, or a kind of waiting."""

    name: str
    sentence: str
    resource: str = ""


class ConditionType(StrEnum):
    """The questions that a registry's status answers, in the order in which they become true."""

    DISCOVERED = "Discovered"
    ENDPOINTS_APPROVED = "EndpointsApproved"
    NAMES_RESOLVE = "NamesResolve"
    PUBLIC_ACCESS_CLOSED = "PublicAccessClosed"


class ConditionStatus(StrEnum):
    """Three-valued, as in Kubernetes: Unknown is not False."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One answer, with a sentence when it is not True."""

    type: ConditionType
    status: ConditionStatus
    message: str = ""


# --- outcomes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Converged:
    """The plan is empty: what the policy asks is what Azure says."""

    kind: Literal["converged"] = "converged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something runs or is not there yet; the next pass is due at *until*."""

    kind: Literal["waiting"] = "waiting"
    until: datetime
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockedOutcome:
    """A person must act; nothing is repeated until the sweep or a request looks again."""

    kind: Literal["blocked"] = "blocked"
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Given up: an error whose fate is permanent, or a message that failed too often."""

    kind: Literal["failed"] = "failed"
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """
    `mode: audit`: the plan was made and reported, nothing was written.

    *changes* is how many it asks for, *reasons* what would be waited for or stand in its way.
    """

    kind: Literal["audited"] = "audited"
    changes: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """The policy does not ask anything of this registry."""

    kind: Literal["exempt"] = "exempt"
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """The registry does not exist (ARM said 404 for long enough)."""

    kind: Literal["gone"] = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """A newer request for the same registry is under way; this one did nothing."""

    kind: Literal["superseded"] = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Enforcement rests since somebody asked for it; nothing is written until it is resumed."""

    kind: Literal["paused"] = "paused"
    by: str
    since: datetime
    why: str


type Outcome = Annotated[
    Converged | Waiting | BlockedOutcome | Failed | Audited | Exempt | Gone | Superseded | Paused,
    Field(discriminator="kind"),
]


# --- results of changes -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The write took effect in its own answer."""

    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The write was accepted; *url* is the operation URL, followed verbatim, "" where the resource tells itself."""

    kind: Literal["started"] = "started"
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFailed:
    """The write was refused; *fate* says what becomes of it."""

    kind: Literal["failed"] = "failed"
    reason: Reason
    fate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Not tried, because something it depends on failed or is not finished."""

    kind: Literal["skipped"] = "skipped"
    because: str


type ChangeResult = Annotated[Done | Started | ChangeFailed | Skipped, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    The last word on one registry.

    Attributes:
        phase: `kind` of the outcome.
        digest: Of the plan that the pass saw, "" when it made none.
        changes: Sentences of the changes that the plan still asks for.
        fqdns: Region to the address of the registry's data plane, as its discovery service said before the lockdown.
    """

    registry: ResourceId
    at: datetime
    phase: str
    digest: str = ""
    reasons: tuple[Reason, ...] = ()
    conditions: tuple[Condition, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes: tuple[str, ...] = ()
    fqdns: Mapping[str, str] = field(default_factory=dict)
