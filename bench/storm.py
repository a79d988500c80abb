"""
A storm of events into several real host processes: `python -m bench.storm [--events N] [--hosts N ...]`.

Nineteen of twenty events concern nobody; the others are about registries that are just being created, come in bursts, and
come twice. Deliveries go to the hosts in turn, many at once. Meanwhile the work queue's depth and the hosts' memory are
looked at. In the end every registry must be isolated to an independent eye, the last thing that was asked of each must have
been worked off, and nothing may have been written twice for any. Then some more events come, to see that memory stays.
"""

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from bench import program
from bench.hosts import SHARED_NOTE
from bench.irrelevant_events import event_of, irrelevant
from bench.rows import ReferenceFailed, Row, Section, exactly, told
from bench.several_hosts import SeveralHosts
from bench.sizes import Storms
from local.demo import work_folder

_LATER = 4_000
"""Events after a storm, at most; a smaller one is followed by as many as it had."""
_RELEVANT = 20
_BURST = 8
"""Events about one registry that follow one another."""
_BATCH = 50
_AT_ONCE = 3
"""Deliveries under way, for each host."""
_LOOK = 2.0
"""Seconds between two looks at queue and memory."""
_PATIENCE = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """
    What one storm did.

    Attributes:
        seconds: For taking in all events.
        taken: Events that each host took in, those of the simulated Azure included.
        waits: From the beginning until the app said isolated, of each registry, shortest first.
        depth: Of the work queue, hidden messages included, at every look.
        before: Resident MiB of each host before the storm.
        after: The same when all work was done.
        later: The same after *more* events, about registries that are isolated.
        repeated: Writes for one registry that took effect more than once.
        shared: Repeated writes of what all registries share.
        redelivered: Deliveries of the storm that a host did not take at once.
        settled: Seconds from the last event to the end of all work.
    """

    hosts: int
    events: int
    more: int
    registries: int
    seconds: float
    taken: tuple[int, ...]
    passes: tuple[int, ...]
    waits: tuple[float, ...]
    depth: tuple[int, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    later: tuple[float, ...]
    repeated: tuple[str, ...]
    shared: int
    redelivered: int
    settled: float


def storming(storms: Storms) -> Section:
    """
    Give the rows.

    Raises:
        ReferenceFailed: Something was lost, left open, or given up.
    """
    return section(storms, [asyncio.run(storm(storms.events, hosts, storms.registries)) for hosts in storms.hosts])


def section(storms: Storms, found: Sequence[Storm]) -> Section:
    """
    Give the rows of what was found.

    Raises:
        ReferenceFailed: Hosts did not take every event.
    """
    for each in found:
        if sum(each.taken) < each.events:
            raise ReferenceFailed(f"hosts took {sum(each.taken)} of {each.events} events")
    events, registries = f"{storms.events:,}", storms.registries
    return Section(
        title=f"A storm of {events} events, 95 % of them irrelevant, on {registries} registries being created",
        rows=tuple(row for each in found for row in _rows(each)),
    )


async def storm(events: int, hosts: int, registries: int) -> Storm:
    """
    Let it rage.

    Raises:
        ReferenceFailed: Something was lost, left open, or given up.
    """
    with work_folder(f"storm-{hosts}") as folder:
        async with SeveralHosts(folder.path, hosts) as several:
            names = [f"storm-{number:02d}" for number in range(registries)]
            await several.balance.deliver(irrelevant())  # so that memory is a running host's
            before, depth = several.resident(), list[int]()
            looking = asyncio.create_task(_look(several, depth))
            several.create(names)
            began = time.perf_counter()
            waiting = asyncio.create_task(several.until_isolated(names, seconds=_PATIENCE))
            await _send(several, deliveries(events, names))
            seconds = time.perf_counter() - began
            waits = await waiting
            await several.until_isolated(names, seconds=_PATIENCE)
            settled = time.perf_counter() - began - seconds
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await several.check(names)
            done = Storm(
                hosts=hosts,
                events=events,
                more=min(events, _LATER),
                registries=registries,
                seconds=seconds,
                taken=several.events(),
                passes=several.passes(),
                waits=tuple(sorted(waits.values())),
                depth=tuple(depth),
                before=before,
                after=several.resident(),
                later=(),
                repeated=tuple(several.repeated()),
                shared=several.repeated_for_all(),
                redelivered=several.balance.redelivered,
                settled=settled,
            )
            await _send(several, deliveries(done.more, names, seed=8))
            await several.until_isolated(names, seconds=_PATIENCE)
            return replace(done, later=several.resident())


def deliveries(events: int, names: Sequence[str], seed: int = 7) -> Iterator[list[object]]:
    """The storm in deliveries as Event Grid batches them: bursts, each relevant event twice, the rest noise."""
    draw, others = random.Random(seed), irrelevant()
    relevant: list[object] = []
    for first in range(0, events, _BATCH):
        size = min(_BATCH, events - first)
        wanted = round((first + size) / _RELEVANT) - round(first / _RELEVANT)
        while len(relevant) < wanted:
            event = event_of(f"Microsoft.MachineLearningServices/registries/{draw.choice(names)}")
            relevant += [event] * 2 * (_BURST // 2)
        batch: list[object] = [relevant.pop() for _ in range(wanted)]
        batch += [others[draw.randrange(len(others))] for _ in range(size - wanted)]
        draw.shuffle(batch)
        yield batch


async def _send(several: SeveralHosts, batches: Iterator[list[object]]) -> None:
    async def sender() -> None:
        for batch in batches:
            await several.balance.deliver(batch)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE * several.count):
            group.create_task(sender())


async def _look(several: SeveralHosts, depth: list[int]) -> None:
    while True:
        depth.append(await several.backlog())
        await asyncio.sleep(_LOOK)


def _rows(each: Storm) -> list[Row]:
    hosts = f"{each.hosts} hosts"
    peak, middle = max(each.depth, default=0), median(each.depth or (0,))
    looks = zip(each.before, each.after, each.later, strict=True)
    memory = "; ".join(", ".join(f"{look:.0f}" for look in host) for host in looks)
    return [
        told(
            f"{hosts}: events taken in a second, each",
            f"{each.events / each.seconds / each.hosts:.1f}",
            reference=f"all in {each.seconds:.0f} s",
            note="Each host's own: " + ", ".join(f"{taken:,}" for taken in each.taken) + f"; passes {each.passes}.",
        ),
        exactly("  registries lost", ours=each.registries - len(each.waits), needed=0),
        exactly(
            "  writes for a registry done more than once",
            ours=len(each.repeated),
            needed=0,
            note="; ".join(each.repeated[:8]),
        ),
        told("  writes of zones and links that all share, repeated", str(each.shared), note=SHARED_NOTE),
        told(
            "  slowest registry to be isolated",
            f"{each.waits[-1]:.0f} s",
            reference=f"median {median(each.waits):.0f} s",
        ),
        told("  deepest queue, messages hidden for later included", str(peak), reference=f"median {middle:.0f}"),
        told("  deliveries that had to be sent again", str(each.redelivered)),
        told("  all work done after the last event", f"{each.settled:.0f} s"),
        told(
            "  memory of each host before, after, later",
            f"{memory} MiB",
            note=f"Later is after {each.more:,} more events about the registries that are isolated then.",
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; ends with status 1 when something was lost."""
    storms = asked(arguments)
    return program.run(lambda: [storming(storms)])


def asked(arguments: Sequence[str] | None) -> Storms:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.storm", description="Send a storm of events into several hosts."
    )
    parser.add_argument("--events", type=program.some, default=Storms().events)
    parser.add_argument("--hosts", type=program.some, nargs="+", default=Storms().hosts)
    found = parser.parse_args(arguments)
    return Storms(events=found.events, hosts=tuple(found.hosts))


if __name__ == "__main__":
    sys.exit(main())
