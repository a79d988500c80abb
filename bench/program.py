"""
A program of the bench from its measurement to its exit status: `python -m bench`, and each part that can run alone.

It ends with status 1 when a run that figures were to be taken from did not do its work, or when a row that it promises is
missing; a missed budget is printed as such.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench import machine, table
from bench.listed import Promised, differences
from bench.rows import ReferenceFailed, Section


def some(text: str) -> int:
    """
    So many of what an argument counts; one at least, because nothing has no figures.

    Raises:
        argparse.ArgumentTypeError: It is not such a number.
    """
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def run(
    measure: Callable[[], Sequence[Section]],
    *,
    mode: str = "alone",
    promised: Promised | None = None,
    output: Path | None = None,
) -> int:
    """
    Measure, print, write; gives the exit status.

    Args:
        mode: How much is measured, as the table tells it.
        promised: Rows that there must be, by section, and no others; None where nothing is promised.
        output: Where to write the table as Markdown.
    """
    facts, began = dict(machine.facts()), time.monotonic()
    try:
        sections = measure()
    except ReferenceFailed as problem:
        print(f"The bench has no figures: {problem}", file=sys.stderr)
        return 1
    facts["mode"] = f"{mode}, {time.monotonic() - began:.0f} s"
    facts["load when it ended"] = machine.load()
    table.show(sections, facts, Console(width=None if sys.stdout.isatty() else 200))
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(table.markdown(sections, facts), encoding="utf-8")
    rows = [(section.title, row.measure) for section in sections for row in section.rows]
    problems = [] if promised is None else differences(rows, promised)
    for each in problems:
        print(f"The bench is not complete: {each}", file=sys.stderr)
    return 1 if problems else 0
