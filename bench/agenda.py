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
from bench.rows import Section
from bench.rush import ENOUGH, rushing
from bench.storm import QUICK_EVENTS, storming
from bench.sweep import sweeping
from bench.sweep_process import sweeping_apart

_STARTS, _QUICK_STARTS = 11, 5
_RUSH, _QUICK_RUSH = 60, 20
_CROWDS = (1_000, 10_000)
_HOSTS = (1, 2, 3, 4)
_STORMED = 2
_ROWS_SHOWN = 10_000
_FIRST_COME = 2
"""How many sections on latency and requests, which are what the product is about, stand before all others."""


def in_a_minute() -> list[Section]:
    """What a minute allows: no Azure CLI, no process but fresh interpreters, no crowd."""
    return [*_by_machine(quick=True), _section("some registries at once", lambda: rushing(_QUICK_RUSH, budgeted=False))]


def in_full() -> list[Section]:
    """
    All of it.

    Raises:
        ReferenceFailed: A run that figures were to come from did not do its work.
    """
    first = _by_machine(quick=False)
    apart = [
        _section("several hosts", lambda: several_hosts(_HOSTS)),
        _section("a storm of events", lambda: storming(QUICK_EVENTS, (_STORMED,))),
        _section("the dashboard", lambda: dashboard(_ROWS_SHOWN)),
    ]
    with Beside(a_thousand_at_once) as thousand:
        some = _section("some registries at once", lambda: rushing(_RUSH, budgeted=False))
        by_hand = _section("the article's way", article)
        sweeps = _section("sweeps in virtual time", lambda: sweeping(_CROWDS))
        fresh = _section("sweeps in fresh processes", lambda: sweeping_apart(_CROWDS))
        all_of_them = _section("a thousand registries at once", thousand.result)
    return [*first[:_FIRST_COME], by_hand, *first[_FIRST_COME:], some, all_of_them, sweeps, fresh, *apart]


def a_thousand_at_once() -> Section:
    """What the budget of the throttling limits speaks of."""
    return rushing(ENOUGH, budgeted=True)


def _by_machine(*, quick: bool) -> list[Section]:
    """One registry, events, starts: seconds each, and short enough to be repeated for medians."""
    with _told("one registry, in four ways"):
        runs, warm = tuple(isolate(case) for case in CASES), isolate(WARM)
    with _told("cold starts"):
        starts = measure_starts(_QUICK_STARTS if quick else _STARTS)
    with _told("events"):
        events = [irrelevant_events(quick=quick), event_intake(quick=quick)]
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
