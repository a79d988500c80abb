"""Rows: requests to Azure Resource Manager, against the writes that the final world needed."""

from bench.arm_requests import by_purpose, necessary_writes, shown, writes
from bench.budgets import MOST_READS_AGAIN, MOST_REQUESTS, Budget
from bench.isolation import Isolation
from bench.rows import Row, Section, bounded, exactly, told


def asking(runs: tuple[Isolation, ...], warm: Isolation) -> Section:
    """
    Requests of each of *runs*; the budgets are on the first, which is one region in one network.

    Args:
        warm: The same as the first, in a process that has isolated another registry before.
    """
    first = runs[0]
    rows = [_warm_row(warm), *_first_rows(first), *(row for run in runs[1:] for row in _more_rows(run))]
    return Section(title="Requests to Azure Resource Manager, creation to isolated", rows=tuple(rows))


def _warm_row(run: Isolation) -> Row:
    return bounded(
        f"ARM requests, {run.case.name}",
        ours=len(run.calls),
        most=MOST_REQUESTS,
        reference=f"{necessary_writes(run)} necessary writes",
        about=Budget.REQUESTS,
        note=shown(by_purpose(run.calls)) + ".",
    )


def _first_rows(run: Isolation) -> tuple[Row, ...]:
    needed = necessary_writes(run)
    again_writes = writes(run.second_pass)
    return (
        bounded(
            f"ARM requests, {run.case.name}, the process's first registry",
            ours=len(run.calls),
            most=MOST_REQUESTS,
            reference=f"{needed} necessary writes",
            about=Budget.REQUESTS,
            note=f"{shown(by_purpose(run.calls))}. A new process asks one target of each kind for the names of its zones, "
            "once a day; all other registries of that day are spared that.",
        ),
        exactly(f"  of which writes, {run.case.name}", ours=writes(run.calls), needed=needed, about=Budget.REQUESTS),
        told("  by pass", ", ".join(str(each.calls) for each in run.passes)),
        told(
            "  second look, a quarter of an hour after the closing",
            f"{len(run.second_look)} reads",
            note="The second look judges whether the way in held; it comes once and is not part of the way to isolated.",
        ),
        bounded(
            "second reconcile, reads",
            ours=len(run.second_pass) - again_writes,
            most=MOST_READS_AGAIN,
            about=Budget.AGAIN,
        ),
        exactly("second reconcile, writes", ours=again_writes, needed=0, about=Budget.AGAIN),
    )


def _more_rows(run: Isolation) -> tuple[Row, ...]:
    needed = necessary_writes(run)
    return (
        told(
            f"ARM requests, {run.case.name}",
            f"{len(run.calls)}, second reconcile {len(run.second_pass)}",
            reference=f"{needed} necessary writes",
        ),
        exactly(f"  of which writes, {run.case.name}", ours=writes(run.calls), needed=needed),
    )
