"""Rows: from the event to isolated against the chain of operations that nobody could shorten."""

from bench.budgets import LATENCY_RATIO, Budget
from bench.critical_path import Step, longest_chain, losses, steps_of
from bench.isolation import Isolation
from bench.rows import Row, Section, compared, told


def latency(runs: tuple[Isolation, ...]) -> Section:
    """One budget row and one breakdown for each of *runs*."""
    rows = [row for run in runs for row in _rows(run)]
    return Section(title="Event to isolated (virtual time, Azure's durations as recorded)", rows=tuple(rows))


def _rows(run: Isolation) -> tuple[Row, ...]:
    chain = longest_chain(steps_of(run))
    unavoidable = sum(step.seconds for step in chain)
    lost = losses(run, chain)
    return (
        compared(
            f"event to isolated, {run.case.name}",
            ours=(run.known - run.event).total_seconds(),
            reference=unavoidable,
            most=LATENCY_RATIO,
            about=Budget.LATENCY,
            note=f"The chain: {', then '.join(_word(step) for step in chain)}. Ours ends when the app has seen it.",
        ),
        told(
            f"  last door closed, {run.case.name}",
            f"{(run.isolated - run.event).total_seconds():.4g} s",
            reference=f"{unavoidable:.4g} s",
        ),
        told(
            f"  beyond the chain, {run.case.name}",
            f"polling {lost.polling:.2f} s, queue {lost.queue:.2f} s, passes {lost.passes:.2f} s",
            note="Polling: from Azure's end to the moment asked for. Queue: from there to the pass. Passes: the rest.",
        ),
    )


def _word(step: Step) -> str:
    kind, _, name = step.key.rpartition("/")
    return f"{kind.rsplit('/', 1)[-1]}/{name} {step.seconds:g} s"
