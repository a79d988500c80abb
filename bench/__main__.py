"""
Measure everything and print one table: `python -m bench [--quick] [--output FILE]`.

Ends with status 1 when a run that figures were to be taken from did not do its work, or when a row that the bench promises
is missing; a missed budget is printed as such.
"""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from bench import agenda, machine, table
from bench.listed import differences
from bench.rows import ReferenceFailed, by_budget

_NO_FIGURE = (
    "This run has no measurement of it: `make bench` has, it sweeps 10,000 registries and creates 1,000 at once."
)


def main() -> int:
    """Measure, print, write."""
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 200)
    facts, began = dict(machine.facts()), time.monotonic()
    try:
        measured = agenda.in_a_minute() if arguments.quick else agenda.in_full()
    except ReferenceFailed as problem:
        print(f"The bench has no figures: {problem}", file=sys.stderr)
        return 1
    sections = [by_budget(measured, _NO_FIGURE), *measured]
    facts["mode"] = f"{'quick' if arguments.quick else 'full'}, {time.monotonic() - began:.0f} s"
    facts["load when it ended"] = machine.load()
    table.show(sections, facts, console)
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(table.markdown(sections, facts), encoding="utf-8")
    problems = (
        [] if arguments.quick else differences((each.title, row.measure) for each in sections for row in each.rows)
    )
    for each in problems:
        print(f"The bench is not complete: {each}", file=sys.stderr)
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the app beside its references.")
    parser.add_argument(
        "--quick", action="store_true", help="a minute at most: fewer runs, no Azure CLI, no sweeps, no host processes"
    )
    parser.add_argument("--output", type=Path, help="write the table as Markdown to this file as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
