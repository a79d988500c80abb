"""
What is counted of what is told: log line by log line, the metrics that follow from it.

Lines carry names and sentences; metrics carry words of closed sets. This table is where the one becomes the other, so that
no id, no name and no sentence ever becomes an attribute.
"""

from collections.abc import Callable, Mapping

from shared.core.registry import Json
from shared.engine import metrics
from shared.engine.telemetry import measure

type Fields = Mapping[str, Json]


def count(event: str, fields: Fields) -> None:
    """Measure what the line *event* with *fields* stands for, if anything."""
    counting = _COUNTED.get(event)
    if counting is not None:
        counting(fields)


def _word(fields: Fields, name: str) -> str:
    return str(fields.get(name) or "none")


def _number(fields: Fields, name: str) -> float:
    value = fields.get(name)
    return value if isinstance(value, int | float) else 0


def _receive(fields: Fields) -> None:
    measure(metrics.EVENTS, result="planned" if fields.get("planned") else "request")


def _ignore(fields: Fields) -> None:
    measure(metrics.EVENTS, result=_word(fields, "why"))


def _reject(_fields: Fields) -> None:
    measure(metrics.EVENTS, result="rejected")


def _request(fields: Fields) -> None:
    measure(metrics.REQUESTS, reason=_word(fields, "reason"))


def _pass(fields: Fields) -> None:
    outcome, reason = _word(fields, "outcome"), _word(fields, "reason")
    measure(metrics.PASSES, outcome=outcome, reason=reason)
    measure(metrics.PASS_DURATION, _number(fields, "seconds"), outcome=outcome)
    if fields.get("late_seconds") is not None:
        measure(metrics.PASS_LATENESS, _number(fields, "late_seconds"))
    if fields.get("isolated_seconds") is not None:
        measure(metrics.TIME_TO_ISOLATED, _number(fields, "isolated_seconds"), reason=reason)


def _mishap(fields: Fields) -> None:
    if "fate" in fields:  # the other line of this name says that it could not be noted
        measure(metrics.MISHAPS, fate=_word(fields, "fate"))


def _poison(fields: Fields) -> None:
    if "back" in fields:
        measure(metrics.POISON, result="retried" if fields["back"] else "failed")


def _change(fields: Fields) -> None:
    measure(metrics.CHANGES, change=_word(fields, "change"), result=_word(fields, "result"))


def _sweep_done(fields: Fields) -> None:
    measure(metrics.SWEEPS, state="done")
    measure(metrics.SWEEP_DURATION, _number(fields, "seconds"))
    measure(metrics.SWEEP_FOUND, _number(fields, "seen"))
    measure(metrics.SWEEP_ENQUEUED, _number(fields, "enqueued"))
    counted = fields.get("phases")
    phases: Fields = counted if isinstance(counted, dict) else {}
    for phase in PHASES if phases else ():
        measure(metrics.REGISTRIES, _number(phases, phase), phase=phase)


def _sweep_failed(_fields: Fields) -> None:
    measure(metrics.SWEEPS, state="failed")


def _notify(_fields: Fields) -> None:
    measure(metrics.OUTCOME_EVENTS, result="delivered")


def _notify_failed(_fields: Fields) -> None:
    measure(metrics.OUTCOME_EVENTS, result="failed")


PHASES = ("requested", "converged", "waiting", "blocked", "failed", "audited", "exempt", "gone", "paused")
"""Phases that a sweep counts; each has its value in every count, so that a gauge falls back to zero."""

_COUNTED: Mapping[str, Callable[[Fields], None]] = {
    "receive": _receive,
    "ignore": _ignore,
    "reject": _reject,
    "request": _request,
    "pass": _pass,
    "mishap": _mishap,
    "poison": _poison,
    "change": _change,
    "sweep-done": _sweep_done,
    "sweep-failed": _sweep_failed,
    "notify": _notify,
    "notify-failed": _notify_failed,
}
