"""
One line of the bench's table: a figure of ours beside its reference, and what the budget says.

A verdict is only ever made from a figure: a budget whose measurement did not run is "not measured", never met.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.budgets import Budget

_RATIO = "ratio"


class Verdict(StrEnum):
    """What a row says of its budget."""

    MET = "met"
    MISSED = "MISSED"
    INFORMATION = ""
    UNMEASURED = "not measured"


class ReferenceFailed(RuntimeError):
    """A run that figures would be taken from did not do its work: no figure of it may be printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One line.

    Attributes:
        reference: What ours is compared with, as text; "" where there is nothing.
        about: The budget that the row answers to.
        note: Why a budget is missed, or what the figures are; printed under the table.
    """

    measure: str
    ours: str
    reference: str = ""
    ratio: str = ""
    budget: str = ""
    verdict: Verdict = Verdict.INFORMATION
    about: Budget | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows that belong together."""

    title: str
    rows: tuple[Row, ...]


def compared(
    measure: str,
    *,
    ours: float,
    reference: float,
    most: float | None = None,
    unit: str = "s",
    about: Budget | None = None,
    note: str = "",
) -> Row:
    """Make a row whose budget is on the ratio; *most* None for a comparison without a budget."""
    ratio = ours / reference
    return Row(
        measure=measure,
        reference=figure(reference, unit),
        ours=figure(ours, unit),
        ratio=f"{ratio:.3g}",
        budget="" if most is None else f"{_RATIO} <= {most:g}",
        verdict=Verdict.INFORMATION if most is None else _verdict(ratio, most),
        about=about,
        note=note,
    )


def bounded(
    measure: str,
    *,
    ours: float,
    most: float,
    unit: str = "",
    reference: str = "",
    about: Budget | None = None,
    note: str = "",
) -> Row:
    """Make a row whose budget is on the figure itself."""
    return Row(
        measure=measure,
        reference=reference,
        ours=figure(ours, unit),
        budget=f"<= {most:g} {unit}".rstrip(),
        verdict=_verdict(ours, most),
        about=about,
        note=note,
    )


def exactly(measure: str, *, ours: int, needed: int, about: Budget | None = None, note: str = "") -> Row:
    """Make a row whose budget is the reference itself."""
    return Row(
        measure=measure,
        reference=str(needed),
        ours=str(ours),
        ratio=f"{ours / needed:.3g}" if needed else "",
        budget=f"= {needed}",
        verdict=Verdict.MET if ours == needed else Verdict.MISSED,
        about=about,
        note=note,
    )


def told(measure: str, ours: str, *, reference: str = "", note: str = "") -> Row:
    """Make a row that informs and judges nothing."""
    return Row(measure=measure, ours=ours, reference=reference, note=note)


def by_budget(sections: Iterable[Section], why: str) -> Section:
    """
    Every budget with all figures that answer to it; one figure that misses it is enough to miss it.

    Args:
        why: Said of a budget that has no figure.
    """
    measured = [row for section in sections for row in section.rows]
    rows = tuple(_judged(budget, [row for row in measured if row.about is budget], why) for budget in Budget)
    return Section(title="The budgets", rows=rows)


def _judged(budget: Budget, rows: Sequence[Row], why: str) -> Row:
    if not rows:
        return Row(measure=budget.value, ours="", verdict=Verdict.UNMEASURED, about=budget, note=why)
    missed = any(row.verdict is Verdict.MISSED for row in rows)
    return Row(
        measure=budget.value,
        ours=", ".join(row.ratio if row.budget.startswith(_RATIO) else row.ours for row in rows),
        verdict=Verdict.MISSED if missed else Verdict.MET,
        about=budget,
    )


def figure(value: float, unit: str = "") -> str:
    """A number as the table shows it: four digits, whole numbers whole."""
    shown = str(int(value)) if float(value).is_integer() and abs(value) < 1e6 else f"{value:.4g}"
    return f"{shown} {unit}".rstrip()


def _verdict(value: float, most: float) -> Verdict:
    return Verdict.MET if value <= most else Verdict.MISSED
