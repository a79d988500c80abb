"""
The article's way against ours: once by Azure CLI commands over HTTPS, once by the app, on the same simulated Azure.

Registry, network, workspace and durations are the same; then both again on a day when one answer in twenty is a fault.
The CLI's wall time is what it waited for Azure (which costs the bench nothing, see `served_azure`) and its processor's
time on this machine, so that a busy machine is not held against it. After a run without faults the world must be
isolated, or there are no figures.
"""

import resource
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from bench.article_steps import LOOK_SECONDS, Step, steps
from bench.azure_cli import AzureCli
from bench.faulty_azure import FaultyAzure
from bench.isolation import Case, Isolation, demand_isolated, isolate, isolate_despite
from bench.rows import ReferenceFailed, Row, Section, compared, told
from bench.served_azure import ServedAzure, SkippingClock
from bench.sharing import ACCOUNT, demand_shared, lay_out_workspace
from local.simulator import scenery
from local.verdict import unisolated

FAULT_RATE = 0.05
_CASE = Case(name="one region and one workspace", sharing=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """
    One run of the commands.

    Attributes:
        failed: What the steps that did not survive were about.
        waited: Virtual seconds spent waiting for Azure.
        computed: Its processor seconds on this machine.
        requests: To Resource Manager.
        problems: What is not isolated afterwards.
    """

    steps: int
    failed: Counter[str]
    waited: float
    computed: float
    requests: int
    problems: tuple[str, ...]


def article(their_seeds: Sequence[int], our_seeds: Sequence[int]) -> Section:
    """
    Put both to the same, and give the rows.

    Args:
        their_seeds: Of the days of faults that the commands are put to.
        our_seeds: Of those that the app is put to.

    Raises:
        ReferenceFailed: Without faults, the commands or the app did not isolate the registry.
    """
    calm, stormy = by_hand(0.0), [by_hand(FAULT_RATE, seed) for seed in their_seeds]
    despite = [isolate_despite(replace(_CASE, name=f"faults {seed}"), seed, FAULT_RATE) for seed in our_seeds]
    return section(calm, stormy, isolate(_CASE), despite)


def section(calm: ByHand, stormy: Sequence[ByHand], ours: Isolation, despite: Sequence[Isolation]) -> Section:
    """
    Give the rows.

    Args:
        calm, stormy: The commands, without faults and with them.
        ours, despite: The app, without faults and with them.

    Raises:
        ReferenceFailed: Without faults, a command failed, or something was not isolated.
    """
    if calm.failed or calm.problems:
        raise ReferenceFailed(f"the CLI's way did not work: {dict(calm.failed)} {' '.join(calm.problems)}")
    seconds = (ours.known - ours.event).total_seconds()
    late = [(run.known - run.event).total_seconds() for run in despite]
    return Section(
        title="The article's own way, by Azure CLI commands (one region, one workspace's storage)",
        rows=(
            compared(
                "from the first command (or the event) to isolated",
                ours=seconds,
                reference=calm.waited + calm.computed,
                note=f"The CLI waited {calm.waited:.0f} s for Azure and computed for {calm.computed:.0f} processor seconds.",
            ),
            compared("requests to Azure Resource Manager", ours=len(ours.calls), reference=calm.requests, unit=""),
            told("commands a person types", "0", reference=str(calm.steps)),
            *_stormy_rows(stormy, late, sum(len(run.calls) for run in despite) / len(despite)),
        ),
    )


def _stormy_rows(stormy: Sequence[ByHand], late: Sequence[float], calls: float) -> tuple[Row, ...]:
    steps, failed = sum(run.steps for run in stormy), sum((run.failed for run in stormy), Counter[str]())
    isolated = sum(not run.problems for run in stormy)
    times = [run.waited + run.computed for run in stormy]
    lost = ", ".join(f"{count} {what}" for what, count in failed.items()) or "none"
    problems = dict.fromkeys(problem for run in stormy for problem in run.problems)
    return (
        told(
            "5 % of answers are faults: steps that survive",
            f"all, in {len(late)} of {len(late)} runs",
            reference=f"{steps - failed.total()} of {steps}, in {len(stormy)} runs",
            note=f"Commands that failed, in {len(stormy)} seeded runs: {lost}. Afterwards: {' '.join(problems) or 'isolated.'}",
        ),
        told("  isolated afterwards", f"{len(late)} of {len(late)}", reference=f"{isolated} of {len(stormy)}"),
        told(
            "  time to isolated",
            f"median {median(late):.4g} s, longest {max(late):.4g} s",
            reference=f"median {median(times):.4g} s" + ("" if isolated == len(stormy) else ", then by hand"),
        ),
        told(
            "  requests",
            f"{calls:.0f} on average",
            reference=f"{sum(run.requests for run in stormy) / len(stormy):.0f} on average",
        ),
    )


def by_hand(rate: float, seed: int = 0) -> ByHand:
    """Build the world, serve it, and run every command against it."""
    clock = SkippingClock()
    azure = FaultyAzure(start=clock.now(), seed=0)
    scene = scenery.standard_world(azure)
    lay_out_workspace(azure)
    registry = scenery.create_registry(azure, "contoso-models")
    clock.skip((azure.world.now - clock.now()).total_seconds())
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ServedAzure(azure, Path(folder), clock) as served:
        cli = AzureCli(served, Path(folder))
        azure.roll(seed, rate)
        before, skipped, began = len(azure.log), clock.skipped, _processor_seconds()
        todo = list(steps(azure, scene, registry, scenery.parts_of(azure, registry), ACCOUNT))
        failed = Counter(step.what for step in todo if not _survives(step, cli, clock))
        computed = _processor_seconds() - began
        waited = (clock.skipped - skipped).total_seconds()
        azure.rate = 0.0
        served.catch_up()
        problems = unisolated(azure, registry.id)
        if not problems and not rate:
            demand_isolated(azure, "the CLI's way", registry.id)
            demand_shared(azure, registry.id)
        requests = sum(bool(call.principal) or call.status >= 400 for call in azure.log[before:])
    return ByHand(
        steps=len(todo),
        failed=failed,
        waited=waited,
        computed=computed,
        requests=requests,
        problems=tuple(problems),
    )


def _survives(step: Step, cli: AzureCli, clock: SkippingClock) -> bool:
    """Run a step as a script does; a check may be repeated until it holds."""
    for look in range(step.looks):
        if look:
            clock.skip(LOOK_SECONDS)
        said = cli.run(*step.command)
        if not said.worked and step.looks == 1:
            return False
        if said.worked and (step.check is None or step.check(said.answer)):
            return True
    return False


def _processor_seconds() -> float:
    """Of all finished children of this process, among which only the CLI works in between."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
