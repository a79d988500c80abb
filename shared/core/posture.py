"""
Where one registry stands: its phase, its doors, and everything that somebody who wants nothing in the open should know.

What a pass reported becomes findings of one kind, whether it is a finding already, a change that is still to be made, or a
reason why nothing goes on. So whoever reads a list of findings, a pipeline for example, needs to know nothing else.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core.arm import ResourceId
from shared.core.errors import MalformedResourceId
from shared.core.findings import finding
from shared.core.picture import Door, Picture
from shared.core.policy import Exemption, IsolationPolicy
from shared.core.registry import Access, TargetKind
from shared.core.report import Finding, Reason, Report, Severity

LATER = "Lockdown"
"""Name of the reason that says what would be closed by and by; the open doors say it already."""

_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_WORDS = {
    TargetKind.REGISTRY: "Registry",
    TargetKind.STORAGE: "Storage account",
    TargetKind.ACR: "Container registry",
}


def rank(severity: Severity) -> int:
    """Larger for what matters more."""
    return _RANKS[severity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A finding and the name under which it is recognised again, however often the report is made."""

    finding: Finding
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """
    One registry's standing.

    Attributes:
        phase: Of its last pass, "requested" before the first.
        looked: When its last pass ended; None before the first.
        verified: When it was last seen whole.
        doors: Public access of each of its resources that the policy does not exempt.
        findings: The most severe first.
        exemptions: Of the policy, that hold today.
        changes: Sentences of what is still to be done.
        digest: Of the plan that the last pass saw; of everything that would be done, in an audit.
    """

    registry: ResourceId
    phase: str
    looked: datetime | None = None
    verified: datetime | None = None
    doors: tuple[Door, ...] = ()
    findings: tuple[Noted, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    changes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def open_doors(self) -> tuple[Door, ...]:
        """Those that answer the public internet."""
        return tuple(door for door in self.doors if door.access is Access.OPEN)

    @property
    def worst(self) -> Severity | None:
        """Severity of the worst finding; None without any."""
        return max((noted.finding.severity for noted in self.findings), key=rank, default=None)

    def with_findings(self, findings: tuple[Noted, ...]) -> "Posture":
        """The same with other *findings*."""
        return replace(self, findings=findings)


def posture_of(
    registry: ResourceId,
    phase: str,
    report: Report | None,
    policy: IsolationPolicy,
    *,
    now: datetime,
    picture: Picture | None = None,
    verified: datetime | None = None,
    unknown: str = "",
) -> Posture:
    """
    Say where *registry* stands.

    Args:
        report: Of its last pass; None before the first, or when it cannot be told.
        picture: Of its network, as that pass saw it.
        unknown: Why it cannot be told.
    """
    doors = picture.doors if picture else ()
    if report is None:
        unknown = unknown or "No pass over it has ended yet."
        found: Iterable[Finding] = (finding("posture-unknown", registry, registry=registry.name, why=unknown),)
        report = Report(registry=registry, at=now, phase=phase)
        looked = None
    else:
        found = (*report.findings, *_derived(registry, phase, report, doors, policy))
        looked = report.at
    return Posture(
        registry=registry,
        phase=phase,
        looked=looked,
        verified=verified,
        doors=doors,
        findings=tuple(_noted(registry, found)),
        exemptions=policy.exemptions_for(registry, on=now.date()),
        changes=report.changes,
        digest=report.digest,
    )


def at_least(posture: Posture, severity: Severity) -> tuple[Noted, ...]:
    """The findings of *posture* that are *severity* or worse."""
    return tuple(noted for noted in posture.findings if rank(noted.finding.severity) >= rank(severity))


# --- what a report says, as findings ----------------------------------------------------------------------------------


def _derived(
    registry: ResourceId, phase: str, report: Report, doors: Iterable[Door], policy: IsolationPolicy
) -> Iterator[Finding]:
    if phase == "gone":
        return
    yield from _doors(registry, doors, policy)
    if phase == "exempt":
        return
    name = registry.name
    for sentence in report.changes if phase != "paused" else ():
        yield finding("change-planned", registry, registry=name, change=sentence)
    for reason in report.reasons:
        yield from _reason(registry, phase, reason)
    if phase == "failed" and not report.reasons:
        yield finding("isolation-failed", registry, registry=name, why="the history tells the last error.")
    if phase == "paused":
        yield finding("enforcement-paused", registry, registry=name)


def _doors(registry: ResourceId, doors: Iterable[Door], policy: IsolationPolicy) -> Iterator[Finding]:
    for door in doors:
        if door.access is Access.OPEN:
            code = "public-access-kept" if _kept(door, policy) else "public-access-open"
            part = "" if door.target == registry else f" of registry {registry.name}"
            yield finding(code, door.target, what=f"{_WORDS[door.kind]} {door.target.name}{part}")


def _kept(door: Door, policy: IsolationPolicy) -> bool:
    never = policy.lockdown.when == "never"
    return never or getattr(policy.targets, door.kind.value).public_access == "keep"


def _reason(registry: ResourceId, phase: str, reason: Reason) -> Iterator[Finding]:
    code = {
        "blocked": "isolation-blocked",
        "failed": "isolation-failed",
        "audited": "enforcement-obstacle",
        "waiting": "isolation-under-way",
    }.get(phase, "")
    if code and reason.name != LATER:
        yield finding(
            code, _resource(reason, registry), registry=registry.name, why=f"{reason.name}: {reason.sentence}"
        )


def _resource(reason: Reason, registry: ResourceId) -> ResourceId:
    """What *reason* is about; the registry where it names nothing that could be told."""
    try:
        return ResourceId.parse(reason.resource)
    except MalformedResourceId:
        return registry


# --- recognising them again -------------------------------------------------------------------------------------------


def _noted(registry: ResourceId, found: Iterable[Finding]) -> Iterator[Noted]:
    """Sorted, and named by what they are about; numbers in sentences (days left, free addresses) do not matter."""
    count: Counter[str] = Counter()
    for each in sorted(dict.fromkeys(found), key=_order):
        resource = each.resource.key if each.resource else ""
        essence = "|".join((each.code, registry.key, resource, re.sub(r"\d+", "#", each.sentence)))
        count[essence] += 1
        text = f"{essence}|{count[essence]}"
        yield Noted(finding=each, fingerprint=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32])


def _order(each: Finding) -> tuple[int, str, str, str]:
    return -rank(each.severity), each.code, each.resource.key if each.resource else "", each.sentence
