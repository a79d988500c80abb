"""
Billed GB-seconds of one isolated registry, beside an implementation that waits for Azure inside its invocation.

The Consumption plan bills an execution from its beginning to its end, waiting included, at least 100 ms of it, and memory
in steps of 128 MB (Azure Functions pricing; "Estimating consumption-based costs in Azure Functions"). A pass lasts as long
as its requests (virtual time) and its processor time (this machine's, the simulated Azure's share included). The one that
waits does the same work and lasts from the first pass to the last.
"""

import math
from datetime import timedelta

from bench.isolation import Isolation, Pass
from bench.rows import Section, compared, told

_LEAST = 0.1
_STEP_MB = 128


def billing(runs: tuple[Isolation, ...], memory_mib: float) -> Section:
    """One row for each of *runs*."""
    gigabytes = math.ceil(memory_mib * 1.048576 / _STEP_MB) * _STEP_MB / 1024
    rows = [
        compared(
            f"billed for isolating, {run.case.name}",
            ours=gigabytes * sum(_billed(each) for each in run.passes),
            reference=gigabytes * _waiting(run),
            unit="GB-s",
            note=f"At {gigabytes * 1024:.0f} MB. Reference: the same writes and requests by an invocation that waits for each "
            "operation to end.",
        )
        for run in runs
    ]
    first = runs[0]
    seconds = sum(_billed(each) for each in first.passes)
    longest = max((each.ended - each.started).total_seconds() + each.processor_seconds for each in first.passes)
    rows.append(
        told(
            f"  executions, {first.case.name}",
            f"{len(first.passes)}, {seconds:.3g} s in all, longest {longest:.3g} s",
            reference=f"1, {_waiting(first):.0f} s",
        )
    )
    return Section(title="Cost", rows=tuple(rows))


def _billed(each: Pass) -> float:
    return max(_span(each.ended - each.started) + each.processor_seconds, _LEAST)


def _waiting(run: Isolation) -> float:
    processor = sum(each.processor_seconds for each in run.passes)
    return _span(run.passes[-1].ended - run.passes[0].started) + processor


def _span(span: timedelta) -> float:
    return span.total_seconds()
