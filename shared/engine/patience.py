"""
End waits that lead nowhere, and say since when an error keeps coming back.

Every wait of the planner expects something of Azure that takes minutes. When the same things are waited for after an
hour, nobody is making them any more: the registry ends Blocked with a sentence, and the sweep tries again. Waits that
have a limit of their own keep it, and temporary errors never end: they only say how long they have lasted.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.naming import short_hash
from shared.core.report import BlockedOutcome, Outcome, Reason, Waiting
from shared.engine.records import Waited
from shared.engine.work import Work

LIMIT = timedelta(minutes=60)
"""Longest that the same things are waited for: four times the longest operation on record, 16 minutes."""
UNWATCHED = timedelta(minutes=30)
"""A gap between looks, three times the longest pause, in which the app was not there to see anything change."""
WORTH_TELLING = timedelta(minutes=5)
"""An error that lasts shorter than this is an ordinary hiccup of Azure."""

OWN_LIMIT = frozenset({"GracePeriod", "RegistryNotFound", "NotReadyYet", "Propagation"})
PASSING = frozenset(
    {
        "AccessDenied",
        "Busy",
        "ChangedUnderneath",
        "ChangesDone",
        "DeadlineExceeded",
        "OperationFailed",
        "Throttled",
        "Unavailable",
    }
)


def endured(work: Work, outcome: Outcome, now: datetime) -> Outcome:
    """*outcome* as it is after however long the same has been waited for; remembers when that began."""
    if not isinstance(outcome, Waiting):
        work.update(waited=None)
        return outcome
    passing = any(reason.name in PASSING for reason in outcome.reasons)
    what = _what(outcome, resources=not passing)
    waited = work.row.waited
    watched = (
        waited is not None and waited.what == what and (passing or now - (waited.seen or waited.since) < UNWATCHED)
    )
    since = waited.since if waited is not None and watched else now
    work.update(waited=Waited(what=what, since=since, seen=now))
    lasted = now - since
    if passing:
        return _lasting(outcome, since) if lasted >= WORTH_TELLING else outcome
    if lasted < LIMIT or all(reason.name in OWN_LIMIT for reason in outcome.reasons):
        return outcome
    return BlockedOutcome(reasons=tuple(_stuck(reason, since) for reason in outcome.reasons))


def _what(outcome: Waiting, *, resources: bool) -> str:
    """What is waited for; an error is the same whichever call met it."""
    named = sorted(f"{reason.name} {reason.resource if resources else ''}" for reason in outcome.reasons)
    return short_hash(*dict.fromkeys(named))


def _lasting(outcome: Waiting, since: datetime) -> Waiting:
    told = (replace(reason, sentence=f"{reason.sentence} So since {_told(since)}.") for reason in outcome.reasons)
    return replace(outcome, reasons=tuple(told))


def _stuck(reason: Reason, since: datetime) -> Reason:
    if reason.name in OWN_LIMIT:
        return reason
    sentence = (
        f"{reason.sentence} Nothing about it has changed since {_told(since)}: look at it in the portal. The next sweep, or "
        "a request, tries again."
    )
    return Reason(name="StuckOperation", sentence=sentence, resource=reason.resource)


def _told(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
