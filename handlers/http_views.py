"""The engine's values as the models of the wire."""

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from handlers.http_routes import PREFIX
from handlers.http_schemas import (
    Accepted,
    Asked,
    ChangeView,
    ConditionView,
    FindingView,
    History,
    HistoryView,
    Link,
    PauseView,
    Plan,
    Poison,
    PoisonItem,
    ReasonView,
    RegistryItem,
    RegistryList,
    RegistryReport,
    Replayed,
    StageView,
    Sweep,
    SweepList,
)
from shared.core.arm import ResourceId
from shared.core.audit import Effect
from shared.core.changes import Change, key_of
from shared.core.forecast import Stage
from shared.core.plan import Plan as CorePlan
from shared.core.report import Condition, Finding, Reason, Report, Waiting
from shared.core.requests import WorkMessage
from shared.core.sweeps import SweepRecord
from shared.engine.inquiry import Dossier
from shared.engine.poison_list import PoisonEntry, PoisonPage
from shared.engine.ports import HistoryPage, LedgerPage
from shared.engine.preview import Preview
from shared.engine.records import HistoryEntry, LedgerSummary
from shared.engine.sweep_ports import SweepPage

_READS = ("history", "plan")
_ACTS = ("remediate", "undo", "pause", "resume")


def href(registry: ResourceId, *more: str) -> str:
    """Where the API shows *registry*: made of its checked id, never of what a client asked for."""
    parts = ("registries", registry.subscription, registry.resource_group, registry.name, *more)
    return "/".join((PREFIX, *(quote(part, safe="") for part in parts)))


def links(registry: ResourceId) -> dict[str, Link]:
    """Where to go on from *registry*."""
    found = {"self": Link(href=href(registry))}
    found |= {name: Link(href=href(registry, name)) for name in _READS}
    return found | {name: Link(href=href(registry, name), method="POST") for name in _ACTS}


def registry_list(page: LedgerPage) -> RegistryList:
    """A page of registries."""
    return RegistryList(registries=[_item(row) for row in page.rows], after=page.after)


def _item(row: LedgerSummary) -> RegistryItem:
    return RegistryItem(
        id=row.registry.text,
        name=row.registry.name,
        phase=row.phase,
        generation=row.generation,
        requested=row.requested,
        at=row.at,
        due=row.due,
        verified=row.verified,
        sentence=row.sentence,
        links={"self": Link(href=href(row.registry))},
    )


def registry_report(dossier: Dossier) -> RegistryReport:
    """The last word on a registry."""
    row = dossier.row
    said = row.report or Report(registry=row.registry, at=row.requested, phase=dossier.phase)
    return RegistryReport(
        id=row.registry.text,
        name=row.registry.name,
        phase=dossier.phase,
        answered=dossier.answered,
        generation=row.generation,
        asked=Asked(reason=row.reason, origin=row.origin, caller=row.caller, at=row.requested),
        at=row.report.at if row.report else None,
        due=row.outcome.until if isinstance(row.outcome, Waiting) else None,
        verified=row.verified,
        first_seen=row.first_seen,
        reasons=[reason_view(reason) for reason in said.reasons],
        conditions=[condition_view(condition) for condition in said.conditions],
        findings=[finding_view(finding) for finding in said.findings],
        changes=list(said.changes),
        done=[history_view(entry) for entry in dossier.done],
        plan_digest=said.digest,
        paused=PauseView(by=row.paused.by, at=row.paused.at, why=row.paused.why) if row.paused else None,
        fqdns=dict(said.fqdns),
        links=links(row.registry),
    )


def reason_view(reason: Reason) -> ReasonView:
    """A reason."""
    return ReasonView(name=reason.name, sentence=reason.sentence, resource=reason.resource)


def condition_view(condition: Condition) -> ConditionView:
    """A condition."""
    return ConditionView(type=condition.type, status=condition.status, message=condition.message)


def finding_view(finding: Finding) -> FindingView:
    """A finding."""
    return FindingView(
        code=finding.code,
        severity=finding.severity,
        sentence=finding.sentence,
        resource=finding.resource.text if finding.resource else None,
        link=finding.link,
    )


def history(page: HistoryPage) -> History:
    """A page of history."""
    return History(entries=[history_view(entry) for entry in page.entries], after=page.after)


def history_view(entry: HistoryEntry) -> HistoryView:
    """A line of the history."""
    return HistoryView(
        at=entry.at,
        kind=entry.kind,
        subject=entry.subject,
        sentence=entry.sentence,
        origin=entry.origin,
        caller=entry.caller,
        digest=entry.digest,
        result=entry.result,
        before=entry.before,
        after=entry.after,
        attempts=entry.attempts,
        duration_seconds=entry.duration_seconds,
        generation=entry.generation,
        correlation=entry.correlation,
    )


def plan(preview: Preview, mode: str) -> Plan:
    """A dry run."""
    foreseen = preview.forecast
    now = foreseen.plan if foreseen else CorePlan(registry=preview.registry)
    return Plan(
        id=preview.registry.text,
        name=preview.registry.name,
        at=preview.at,
        mode=mode,
        digest=preview.digest,
        exempt=preview.exempt,
        stages=[_stage(stage, preview.effects) for stage in (foreseen.stages if foreseen else ())],
        waits=[reason_view(wait.reason) for wait in now.waits],
        blocks=[reason_view(block) for block in (*preview.unsafe, *now.blocks)],
        conditions=[condition_view(condition) for condition in now.conditions],
        findings=[finding_view(finding) for finding in now.findings],
        links=links(preview.registry),
    )


def _stage(stage: Stage, effects: Mapping[str, Effect]) -> StageView:
    return StageView(
        awaits=[reason_view(reason) for reason in stage.awaits],
        changes=[_change(change, effects[key_of(change)]) for change in stage.changes],
    )


def _change(change: Change, effect: Effect) -> ChangeView:
    return ChangeView(
        key=key_of(change),
        kind=change.kind,
        resource=change.resource.text,
        sentence=change.sentence,
        before=effect.before,
        after=effect.after,
    )


def sweep_href(sweep: str) -> str:
    """Where the API shows a sweep."""
    return f"{PREFIX}/sweeps/{quote(sweep, safe='')}"


def sweep_list(page: SweepPage) -> SweepList:
    """A page of sweeps."""
    return SweepList(sweeps=[sweep(record) for record in page.sweeps], after=page.after)


def sweep(record: SweepRecord) -> Sweep:
    """A sweep's record, without what only its next step needs."""
    return Sweep(
        id=record.id,
        state=record.state,
        phase=record.phase,
        reason=record.reason,
        origin=record.origin,
        caller=record.caller,
        begun=record.begun,
        touched=record.touched,
        due=record.due,
        finished=record.finished,
        steps=record.step - 1,
        revived=record.revived,
        registries=record.seen,
        verdicts=record.verdicts,
        rows=record.rows,
        reviews=record.reviews,
        phases=record.phases,
        enqueued=record.enqueued,
        deferred=record.deferred,
        queries=record.queries,
        notes=list(record.notes),
        sentence=record.sentence,
        links={"self": Link(href=sweep_href(record.id))},
    )


def poison(page: PoisonPage) -> Poison:
    """A page of what failed."""
    return Poison(entries=[_poisoned(entry) for entry in page.entries], after=page.after)


def _poisoned(entry: PoisonEntry) -> PoisonItem:
    return PoisonItem(
        registry=entry.registry.text if entry.registry else None,
        at=entry.at,
        sentence=entry.sentence,
        error=entry.error,
        fate=entry.fate,
        attempts=entry.attempts,
        message=entry.message,
        links=links(entry.registry) if entry.registry else {},
    )


def replayed(again: Iterable[WorkMessage], left: Iterable[ResourceId], *, more: bool) -> Replayed:
    """What is tried again, and what need not be."""
    return Replayed(
        replayed=[accepted(message) for message in again],
        left_alone=[registry.text for registry in left],
        more=more,
    )


def accepted(message: WorkMessage) -> Accepted:
    """A request that was recorded."""
    return Accepted(id=message.registry.text, generation=message.generation, links=links(message.registry))
