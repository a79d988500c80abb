"""The report as one JSON document of a stable, versioned form; its models are the schema that the API publishes."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from shared.core.policy import Exemption
from shared.core.posture import Noted, Posture
from shared.core.registry import Access, TargetKind
from shared.core.report import Severity
from shared.core.reports import Ending, Origin, Summary

VERSION = "1"
"""Raised when a member changes its meaning or goes; new members do not raise it."""


class Member(BaseModel):
    """Anything in the document."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class PostureDoor(Member):
    """Public access of one resource."""

    resource: str
    kind: TargetKind
    access: Access


class PostureFinding(Member):
    """Something to know or to do."""

    code: str
    """Stable; names a section of the documentation's page of findings."""
    severity: Severity
    sentence: str
    resource: str | None
    link: str
    fingerprint: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """The same in every report for as long as the finding is the same."""


class PostureExemption(Member):
    """What the policy leaves as it is, and who answers for it."""

    targets: list[TargetKind]
    reason: str
    owner: str
    expires: date


class PostureOfRegistry(Member):
    """Where one registry stands."""

    id: str
    name: str
    subscription: str
    resource_group: str
    phase: str
    looked_at: datetime | None
    """When its last pass ended."""
    verified_at: datetime | None
    """When it was last seen whole."""
    doors: list[PostureDoor]
    findings: list[PostureFinding]
    exemptions: list[PostureExemption]
    changes: list[str]
    """What is still to be done."""
    plan_digest: str


class PostureSummary(Member):
    """Counts."""

    registries: int
    phases: dict[str, int]
    findings: dict[str, int]
    """By severity."""
    open_doors: int
    oldest_look: datetime | None
    newest_look: datetime | None


class PostureReport(Member):
    """Where all registries stand."""

    version: Literal["1"]
    tool: str
    tool_version: str
    filters: dict[str, str]
    """What was asked for."""
    registries: list[PostureOfRegistry]
    summary: PostureSummary
    """Of the registries above."""
    missed: list[str]
    """Why what should be in it is not; empty when everything could be looked at."""
    after: str
    """For the next part; empty after the last registry."""


TOOL = "Registry Isolation"


class JsonRendering:
    """The document, written registry by registry."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._summary = Summary()
        self._registries: list[str] = []
        self.length = 0

    def add(self, posture: Posture) -> None:
        """Write one registry."""
        self._summary.add(posture)
        text = _registry(posture, self._origin).model_dump_json(by_alias=True)
        self._registries.append(text)
        self.length += len(text)

    def finish(self, ending: Ending) -> str:
        """Give the document: everything but the registries is written as one, and they are put into their place."""
        frame = PostureReport(
            version="1",
            tool=TOOL,
            tool_version=self._origin.version,
            filters=dict(self._origin.filters),
            registries=[],
            summary=_summary(self._summary),
            missed=list(ending.missed),
            after=ending.after,
        ).model_dump_json(by_alias=True, exclude={"registries"})
        return f'{frame[:-1]},"registries":[{",\n".join(self._registries)}]}}\n'


def _summary(summary: Summary) -> PostureSummary:
    return PostureSummary(
        registries=summary.registries,
        phases=dict(sorted(summary.phases.items())),
        findings=summary.by_severity(),
        open_doors=summary.open_doors,
        oldest_look=summary.oldest,
        newest_look=summary.newest,
    )


def _registry(posture: Posture, origin: Origin) -> PostureOfRegistry:
    registry = posture.registry
    return PostureOfRegistry(
        id=registry.text,
        name=registry.name,
        subscription=registry.subscription,
        resource_group=registry.resource_group,
        phase=posture.phase,
        looked_at=posture.looked,
        verified_at=posture.verified,
        doors=[PostureDoor(resource=door.target.text, kind=door.kind, access=door.access) for door in posture.doors],
        findings=[_finding(noted, origin) for noted in posture.findings],
        exemptions=[_exemption(exemption) for exemption in posture.exemptions],
        changes=list(posture.changes),
        plan_digest=posture.digest,
    )


def _finding(noted: Noted, origin: Origin) -> PostureFinding:
    found = noted.finding
    return PostureFinding(
        code=found.code,
        severity=found.severity,
        sentence=found.sentence,
        resource=found.resource.text if found.resource else None,
        link=origin.help_for(found.code) or found.link,
        fingerprint=noted.fingerprint,
    )


def _exemption(exemption: Exemption) -> PostureExemption:
    return PostureExemption(
        targets=list(exemption.targets), reason=exemption.reason, owner=exemption.owner, expires=exemption.expires
    )
