"""
What a sweep costs, and what it repairs: `python -m bench.sweep [--registries 1000 10000] [--drifts]`.

A crowd of isolated registries is put into the simulated Azure, with ledger rows as passes leave them. An hour later a sweep
looks at all of them, through the real Resource Graph client. Counted are its queries and every other call of the app, in
virtual time; what a sweep needs of its process, memory and processor, is measured in fresh ones (`sweep_process`). With
drifts, a tenth of the registries is changed behind the app's back and swept until all are repaired; afterwards an
independent look at the simulated Azure must find every registry isolated, and the others must not have been touched.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench import program
from bench.budgets import Budget
from bench.rows import ReferenceFailed, Row, Section, bounded, exactly, told
from bench.sizes import CROWD_OF_THE_BUDGET
from local.drifts import DRIFTS
from local.house import as_id
from local.sweep_house import HOUR, SweepHouse
from local.verdict import unisolated
from local.virtual_time import run_virtual
from shared.core.sweeps import SweepRecord, SweepState

SUBSCRIPTIONS = 50
QUERIES_PER_THOUSAND = 10
SPREAD = 4
"""A share of the day is not cut with a ruler: registries' turns are hashes, so it varies by its square root."""
_DRIFTED = 10
"""One registry in so many."""
_MOST_SWEEPS = 12
_LOOKED_AT = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Calm:
    """One sweep over isolated registries."""

    registries: int
    swept: SweepRecord
    queries: int
    reads: int
    writes: int
    unasked: int
    virtual: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What became of a crowd of which a part had drifted."""

    registries: int
    drifted: int
    sweeps: int
    most_repairs: int
    touched_others: int
    virtual: timedelta
    seconds: float


def sweeping(counts: Iterable[int], *, drifts: Iterable[int] = ()) -> Section:
    """
    The rows.

    Raises:
        ReferenceFailed: A sweep did not see every registry, or a registry was left open.
    """
    rows: list[Row] = []
    for count in counts:
        rows += _calm_rows(run_virtual(_calm(count)))
    for count in drifts:
        rows += _repair_rows(run_virtual(_repair(count)))
    return Section(title="Sweeps, in virtual time", rows=tuple(rows))


async def _calm(count: int) -> Calm:
    house = SweepHouse(count, subscriptions=min(SUBSCRIPTIONS, count))
    async with house:
        await house.remember(ago=HOUR)
        azure, since, at = house.azure, len(house.azure.log), house.now()
        swept = await _steps(house)
        virtual = house.now() - at
        queries = house.queries(since)
        await house.live(house.idle, 12 * HOUR)
        reads = len(house.arm_calls(since))
        writes = sum(call.kind == "write" and "resourcegraph" not in call.url.lower() for call in azure.log[since:])
        asked = await house.passes()
        unasked = sum(registry.name not in asked for registry in house.touched(since))
        demand_complete(swept, count)
    return Calm(
        registries=count,
        swept=swept,
        queries=queries,
        reads=reads,
        writes=writes,
        unasked=unasked,
        virtual=virtual,
    )


def demand_complete(swept: SweepRecord, count: int) -> None:
    """
    Look at how a sweep over isolated registries ended.

    Raises:
        ReferenceFailed: It did not see every registry, or not every one isolated.
    """
    if swept.state is not SweepState.DONE or swept.seen != count or swept.verdicts != {"compliant": count}:
        raise ReferenceFailed(f"a sweep over {count} isolated registries ended as {swept}")


async def _steps(house: SweepHouse) -> SweepRecord:
    """A sweep's own steps, without the passes that it asks for."""
    begun = await house.sweeper.begin("timer", "bench")
    await house.sweep_trigger.drain()
    ended = await house.sweeper.read(begun.id)
    if ended is None:
        raise ReferenceFailed("a sweep has no record")
    return ended


async def _repair(count: int) -> Repaired:
    house = SweepHouse(count, subscriptions=min(SUBSCRIPTIONS, count))
    async with house:
        await house.remember()
        house.switch_off_events()
        drifted = house.registries[::_DRIFTED]
        for number, registry in enumerate(drifted):
            list(DRIFTS.values())[number % len(DRIFTS)](house.azure, registry)
        at, began = house.now(), time.process_time()
        sweeps = await _until_compliant(house, count)
        virtual, seconds = house.now() - at, time.process_time() - began
        _all_isolated(house, drifted)
        repairs = await _repairs(house)
        return Repaired(
            registries=count,
            drifted=len(drifted),
            sweeps=sweeps,
            most_repairs=max(repairs.get(registry, 0) for registry in drifted),
            touched_others=len(set(repairs) - set(drifted)),
            virtual=virtual,
            seconds=seconds,
        )


async def _until_compliant(house: SweepHouse, count: int) -> int:
    """
    Sweep until a sweep has nothing to do; gives how many had.

    Raises:
        ReferenceFailed: The last one that is allowed still had.
    """
    for before in range(_MOST_SWEEPS):
        swept = await house.sweep()
        if swept.verdicts == {"compliant": count}:
            return before
    raise ReferenceFailed(
        f"after {_MOST_SWEEPS} sweeps over {count} registries the last one still found {swept.verdicts}"
    )


def _all_isolated(house: SweepHouse, drifted: Sequence[str]) -> None:
    """An independent look: at every registry's doors, and at everything of some that had drifted."""
    left_open = [registry for registry in house.registries if not house.closed(registry)]
    problems = [
        problem
        for registry in drifted[:: max(len(drifted) // _LOOKED_AT, 1)]
        for problem in unisolated(house.azure, registry)
    ]
    if left_open or problems:
        raise ReferenceFailed(f"{len(left_open)} registries are open; {len(problems)} things are wrong: {problems[:3]}")


async def _repairs(house: SweepHouse) -> dict[str, int]:
    """How many requests led to writes, by registry; the daily look at one that was repaired before leads to none."""
    found = {}
    for registry in house.registries:
        entries = await house.ledger.history(as_id(registry), 1000)
        if requests := {entry.generation for entry in entries if entry.kind == "change"}:
            found[registry] = len(requests)
    return found


# --- rows -------------------------------------------------------------------------------------------------------------


def _calm_rows(calm: Calm) -> list[Row]:
    count = calm.registries
    share = count / 24
    about = Budget.SWEEP if count >= CROWD_OF_THE_BUDGET else None
    return [
        bounded(
            f"{count:,} isolated registries: Resource Graph queries per 1,000",
            ours=1000 * calm.queries / count,
            most=QUERIES_PER_THOUSAND,
            about=about,
        ),
        bounded(
            f"  registries handed over for their daily look, {count:,}",
            ours=calm.swept.enqueued,
            most=round(share + SPREAD * share**0.5),
            reference=f"a 24th is {share:.0f}",
            about=about,
        ),
        exactly(
            f"  registries read from Resource Manager without that, {count:,}", ours=calm.unasked, needed=0, about=about
        ),
        told(f"  Resource Manager reads, all of them daily looks, {count:,}", str(calm.reads), reference=_looks(calm)),
        exactly(f"  writes, {count:,}", ours=calm.writes, needed=0, about=about),
        told(
            f"  duration in virtual time, {count:,}",
            f"{calm.virtual.total_seconds():.1f} s in {calm.swept.step - 1} steps",
        ),
    ]


def _looks(calm: Calm) -> str:
    return f"{calm.reads / calm.swept.enqueued:.3g} for each" if calm.swept.enqueued else "none was due"


def _repair_rows(repaired: Repaired) -> list[Row]:
    label = f"{repaired.drifted} drifted of {repaired.registries}"
    return [
        told(f"{label}: sweeps until all are isolated", str(repaired.sweeps), reference="at most 500 registries each"),
        exactly("  most requests that wrote for one of them", ours=repaired.most_repairs, needed=1),
        exactly("  others that anything was written for", ours=repaired.touched_others, needed=0),
        told("  duration in virtual time", f"{repaired.virtual.total_seconds() / 60:.0f} min"),
        told("  processor time, simulated Azure included", f"{repaired.seconds:.0f} s"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with status 1 when a sweep did not do its work."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description="Measure sweeps.")
    parser.add_argument(
        "--registries", type=program.some, nargs="*", default=[1000, 10_000], help="sizes of calm crowds"
    )
    parser.add_argument(
        "--drifts", type=program.some, nargs="*", default=[], help="sizes of crowds of which a tenth has drifted"
    )
    asked = parser.parse_args(arguments)
    return program.run(lambda: [sweeping(asked.registries, drifts=asked.drifts)])


if __name__ == "__main__":
    sys.exit(main())
