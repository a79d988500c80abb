"""What a pass says of itself: its report, its line in the history, its line in the log."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.plan import Plan
from shared.core.policy_conflicts import policy_conflicts
from shared.core.registry import TargetKind
from shared.core.report import Converged, Outcome, Reason, Report, Superseded
from shared.engine.logs import tell
from shared.engine.records import HistoryEntry, Watch
from shared.engine.work import Work


def report_of(work: Work, outcome: Outcome, now: datetime) -> Report:
    """This pass's word; a pass that only asked after operations keeps what the last plan said."""
    last = work.row.report or Report(registry=work.registry, at=now, phase=outcome.kind)
    if work.plan is not None:
        last = replace(
            last,
            digest=work.plan.digest,
            conditions=work.plan.conditions,
            findings=(*work.plan.findings, *policy_conflicts(work.row.refused, work.registry)),
            changes=tuple(change.sentence for change in work.plan.changes),
        )
    reasons, fqdns = getattr(outcome, "reasons", ()), work.row.fqdns or last.fqdns
    return replace(last, at=now, phase=outcome.kind, reasons=reasons, fqdns=fqdns)


def say(work: Work, outcome: Outcome, now: datetime) -> Outcome:
    """
    One log line for one pass, always with the same keys.

    How long the pass took; how late it began; and, when it found isolated what was not, how long that took in all.
    """
    isolated = isinstance(outcome, Converged) and not isinstance(work.before, Converged)
    given = getattr(outcome, "reasons", ())
    tell(
        "pass",
        registry=work.registry.text,
        generation=work.message.generation,
        attempt=work.message.attempt,
        outcome=outcome.kind,
        reason=work.row.reason,
        seconds=_seconds(now - work.begun),
        late_seconds=None if isinstance(outcome, Superseded) else _seconds(work.begun - work.due),
        isolated_seconds=_seconds(now - (work.row.waiting_since or work.row.requested)) if isolated else None,
        digest=work.plan.digest if work.plan else "",
        operations=len(work.row.operations),
        why=[reason.name for reason in given],
        reasons=[reason.sentence for reason in given],
    )
    return outcome


def _seconds(duration: timedelta) -> float:
    return round(max(duration.total_seconds(), 0.0), 3)


def outcome_entry(work: Work, outcome: Outcome, report: Report) -> HistoryEntry:
    """The history's line for a phase that changed."""
    sentence = " ".join(_ended(reason.sentence) for reason in report.reasons) or outcome.kind
    return HistoryEntry(
        at=report.at,
        registry=work.registry,
        kind="outcome",
        subject=outcome.kind,
        sentence=sentence,
        origin=work.row.origin,
        caller=work.row.caller,
        digest=report.digest,
        result=outcome.kind,
        generation=work.row.generation,
    )


def watched(plan: Plan) -> Watch | None:
    """The target to watch when *plan* waits for nothing but Azure's own closing."""
    targets = [wait.watched for wait in plan.waits if wait.watched is not None]
    if not targets or len(targets) < len(plan.waits):
        return None
    # A storage account allows few reads and a container registry publishes no limit; Azure closes both at about the same time.
    first = min(targets, key=lambda target: target.kind is not TargetKind.ACR)
    return Watch(target=first.id, target_kind=first.kind)


def propagation(work: Work, watch: Watch) -> tuple[Reason, ...]:
    """Why a watched target is waited for: in the words of the plan that waited for it, if they were the last ones said."""
    said = work.row.report.reasons if work.row.report else ()
    if any(reason.name == "Propagation" for reason in said):
        return said
    sentence = f"Waiting for Azure to close {watch.target.name} after its registry."
    return (Reason(name="Propagation", sentence=sentence, resource=watch.target.text),)


def _ended(sentence: str) -> str:
    """What has no end of its own, as the sentence of a change, gets one, so that several stay apart."""
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
