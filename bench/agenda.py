"""
Everything that the bench measures, in order.

What is timed on this machine comes first, with nothing beside it. What is timed in virtual time follows: that is the same
on a busy machine, so the longest run, a thousand registries at once, goes on in a process of its own meanwhile. Whatever
reports processor time instead of waiting may stand beside it, too.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bench.article import article
from bench.asking import asking
from bench.beside import Beside
from bench.billing import billing
from bench.cold_start import cold_start
from bench.cold_start import measure as measure_starts
from bench.dashboard import dashboard
from bench.event_intake import event_intake
from bench.hosts import several_hosts
from bench.irrelevant_events import irrelevant_events
from bench.isolation import CASES, WARM, isolate
from bench.latency import latency
from bench.rows import Section, by_budget
from bench.rush import rushing
from bench.sizes import Apart, Sizes
from bench.storm import storming
from bench.sweep import sweeping
from bench.sweep_process import sweeping_apart

_FIRST_COME = 2
"""How many sections on latency and requests, which are what the product is about, stand before all others."""
_NO_FIGURE = (
    "This run has no measurement of it: `make bench` has, it sweeps 10,000 registries and creates 1,000 at once."
)


def measure(sizes: Sizes) -> list[Section]:
    """
    Measure as much as *sizes* say; a section on the budgets comes before all others.

    Raises:
        ReferenceFailed: A run that figures were to come from did not do its work.
    """
    first = _by_machine(sizes)
    found = _without_programs(sizes, first) if sizes.apart is None else _in_full(sizes, sizes.apart, first)
    return [by_budget(found, _NO_FIGURE), *found]


def _without_programs(sizes: Sizes, first: list[Section]) -> list[Section]:
    """What a minute allows: no Azure CLI, no process but fresh interpreters, no crowd."""
    return [*first, _section("some registries at once", lambda: rushing(sizes.rush))]


def _in_full(sizes: Sizes, more: Apart, first: list[Section]) -> list[Section]:
    """All of it."""
    apart = [
        _section("several hosts", lambda: several_hosts(more.sharing)),
        _section("a storm of events", lambda: storming(more.storms)),
        _section("the dashboard", lambda: dashboard(more.board)),
    ]
    with Beside(partial(rushing, more.rush)) as many:
        some = _section("some registries at once", lambda: rushing(sizes.rush))
        by_hand = _section("the article's way", lambda: article(more.their_seeds, more.our_seeds))
        sweeps = _section("sweeps in virtual time", lambda: sweeping(more.crowds))
        fresh = _section("sweeps in fresh processes", lambda: sweeping_apart(more.crowds))
        all_of_them = _section("many registries at once", many.result)
    return [*first[:_FIRST_COME], by_hand, *first[_FIRST_COME:], some, all_of_them, sweeps, fresh, *apart]


def _by_machine(sizes: Sizes) -> list[Section]:
    """One registry, events, starts: seconds each, and short enough to be repeated for medians."""
    with _told("one registry, in four ways"):
        runs, warm = tuple(isolate(case) for case in CASES), isolate(WARM)
    with _told("cold starts"):
        starts = measure_starts(sizes.starts)
    with _told("events"):
        events = [irrelevant_events(sizes.event_rounds), event_intake(sizes.intake_rounds)]
    return [latency(runs), asking(runs, warm), *events, cold_start(starts), billing(runs, starts.working_mib)]


def _section(name: str, measure: Callable[[], Section]) -> Section:
    with _told(name):
        return measure()


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what is going on, and how long it took."""
    began = time.monotonic()
    print(f"measuring {name} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print(f" {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
