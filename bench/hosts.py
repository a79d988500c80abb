"""
How one to four host processes share one queue: `python -m bench.hosts [HOSTS ...]`.

Real time, real processes: figures depend on the machine, whose processors the hosts share with Azurite and with the
simulated Azure. Registries are created and isolated first, then events come in, nineteen of twenty about nobody, and then
passes over isolated registries are timed, a round after the other; rates are medians of rounds. A figure is only given
when each write that took effect did so once and nothing was lost.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import program
from bench.irrelevant_events import event_of, irrelevant
from bench.rows import Row, Section, exactly, told
from bench.several_hosts import SeveralHosts
from bench.sizes import Sharing
from local.demo import work_folder

_BATCH = 40
"""A delivery may bear many events."""
_RELEVANT = 20
"""One event in so many is about a registry."""
_PATIENCE = 600.0
SHARED_NOTE = "Registries created together find no zone yet; each asks for it with the same body, and Azure makes one."


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """
    What some hosts did together.

    Attributes:
        events: Taken in per second by all of them, median of rounds.
        passes: Ended per second by all of them, median of rounds.
        parts: Passes of each.
        repeated: Writes for one registry that took effect more than once.
        shared: Repeated writes of zones and links, which all registries share.
        behind: Of the registries' isolation, slowest by median.
    """

    hosts: int
    events: float
    passes: float
    parts: tuple[int, ...]
    repeated: tuple[str, ...]
    shared: int
    behind: float


def several_hosts(sharing: Sharing) -> Section:
    """
    Give the rows.

    Raises:
        ReferenceFailed: Hosts lost something, or left something open.
    """
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    runs = [asyncio.run(measure(count, sharing)) for count in sharing.hosts]
    return section(runs)


async def measure(hosts: int, sharing: Sharing) -> Shared:
    """
    Let *hosts* processes work side by side.

    Raises:
        ReferenceFailed: Something was lost, left open, or given up.
    """
    with work_folder(f"hosts-{hosts}") as folder:
        async with SeveralHosts(folder.path, hosts) as several:
            names = [f"models-{number:02d}" for number in range(sharing.registries)]
            several.create(names)
            waits = await several.until_isolated(names, seconds=_PATIENCE)
            intake = [await _take_in(several, names, number, sharing.deliveries) for number in range(sharing.rounds)]
            await several.until_isolated(names, seconds=_PATIENCE)
            rounds = [await _look_again(several, names) for _ in range(sharing.rounds)]
            await several.check(names)
            return Shared(
                hosts=hosts,
                events=median(intake),
                passes=median(rounds),
                parts=several.passes(),
                repeated=tuple(several.repeated()),
                shared=several.repeated_for_all(),
                behind=max(waits.values()) / median(waits.values()),
            )


async def _take_in(several: SeveralHosts, names: Sequence[str], number: int, deliveries: int) -> float:
    """One round's events, as many deliveries at once as there are; gives events per second."""
    others = irrelevant()
    events = [
        event_of(f"Microsoft.MachineLearningServices/registries/{names[(at // _RELEVANT + number) % len(names)]}")
        if at % _RELEVANT == 0
        else others[at % len(others)]
        for at in range(deliveries * _BATCH)
    ]
    began = time.perf_counter()
    await asyncio.gather(
        *(several.balance.deliver(events[first : first + _BATCH]) for first in range(0, len(events), _BATCH))
    )
    return len(events) / (time.perf_counter() - began)


async def _look_again(several: SeveralHosts, names: Sequence[str]) -> float:
    """An event for each registry, each of which costs a pass; gives passes per second."""
    before, began = sum(several.passes()), time.perf_counter()
    events = [event_of(f"Microsoft.MachineLearningServices/registries/{name}") for name in names]
    await asyncio.gather(*(several.balance.deliver([event]) for event in events))
    await several.until_isolated(names, seconds=_PATIENCE)
    spent = time.perf_counter() - began
    return (sum(several.passes()) - before) / spent


def section(runs: Sequence[Shared]) -> Section:
    """Give the rows of *runs*."""
    return Section(title="Several host processes on one queue, real time", rows=tuple(_rows(runs)))


def _rows(runs: Sequence[Shared]) -> list[Row]:
    note = (
        "Hosts, Azurite and the simulated Azure share this machine's processors, so more hosts than processors "
        "show that nothing breaks, not how much faster it gets."
    )
    rows = []
    for run in runs:
        hosts = f"{run.hosts} host{'s' if run.hosts > 1 else ''}"
        parts = ", ".join(str(part) for part in run.parts)
        rows += [
            told(
                f"{hosts}: events taken in a second, each",
                f"{run.events / run.hosts:.1f}",
                reference=f"{run.events:.0f} together",
            ),
            told(
                f"{hosts}: passes a second, each",
                f"{run.passes / run.hosts:.2f}",
                reference=f"{run.passes:.1f} together",
            ),
            told(
                "  passes of each host", parts, reference=f"slowest registry {run.behind:.2f} of the median", note=note
            ),
            exactly(
                "  writes for a registry done more than once",
                ours=len(run.repeated),
                needed=0,
                note="; ".join(run.repeated[:8]),
            ),
            told("  writes of zones and links that all share, repeated", str(run.shared), note=SHARED_NOTE),
        ]
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with status 1 when something was lost."""
    sharing = asked(arguments)
    return program.run(lambda: [several_hosts(sharing)])


def asked(arguments: Sequence[str] | None) -> Sharing:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.hosts", description="Measure hosts that share a queue.")
    parser.add_argument("hosts", type=program.some, nargs="*", default=Sharing().hosts)
    return Sharing(hosts=tuple(parser.parse_args(arguments).hosts))


if __name__ == "__main__":
    sys.exit(main())
