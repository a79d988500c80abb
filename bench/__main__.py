"""
Measure everything and print one table: `python -m bench [--quick] [--output FILE]`.

Ends with status 1 when a run that figures were to be taken from did not do its work; a missed budget is printed as such.
"""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from bench import machine, table
from bench.article import article
from bench.asking import asking
from bench.billing import billing
from bench.cold_start import cold_start
from bench.cold_start import measure as measure_starts
from bench.dashboard import dashboard
from bench.event_intake import event_intake
from bench.hosts import several_hosts
from bench.irrelevant_events import irrelevant_events
from bench.isolation import CASES, WARM, isolate
from bench.latency import latency
from bench.rows import ReferenceFailed, Section, with_every_budget
from bench.rush import rushing
from bench.storm import QUICK_EVENTS, storming
from bench.sweep import sweeping

_STARTS, _QUICK_STARTS = 21, 5
_RUSH, _QUICK_RUSH = 60, 20
"""Registries at once; a thousand take longer than the bench may (`python -m bench.rush 1000`)."""
_NO_FIGURE = (
    "This run has no measurement of it. Sweeps are measured by the full run only, and a thousand registries at once only "
    "by `python -m bench.rush 1000`."
)


def main() -> int:
    """Measure, print, write."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 200)
    facts, began = dict(machine.facts()), time.monotonic()
    try:
        sections = with_every_budget(_measure(quick=arguments.quick), _NO_FIGURE)
    except ReferenceFailed as problem:
        print(f"The bench has no figures: {problem}", file=sys.stderr)
        return 1
    facts["mode"] = f"{'quick' if arguments.quick else 'full'}, {time.monotonic() - began:.0f} s"
    table.show(sections, facts, console)
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(table.markdown(sections, facts))
    return 0


def _measure(*, quick: bool) -> list[Section]:
    runs = tuple(isolate(case) for case in CASES)
    starts = measure_starts(_QUICK_STARTS if quick else _STARTS)
    slow = (
        []
        if quick
        else [article(), sweeping((1_000, 10_000)), several_hosts(), storming(QUICK_EVENTS, (2,)), dashboard(10_000)]
    )
    return [
        latency(runs),
        asking(runs, isolate(WARM)),
        irrelevant_events(quick=quick),
        event_intake(quick=quick),
        cold_start(starts),
        billing(runs, starts.working_mib),
        rushing(_QUICK_RUSH if quick else _RUSH, budgeted=False),
        *slow,
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the app beside its references.")
    parser.add_argument(
        "--quick", action="store_true", help="a minute instead of ten: fewer runs, no Azure CLI, no sweeps"
    )
    parser.add_argument("--output", type=Path, help="write the table as Markdown to this file as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
