"""Measure everything and print one table: `python -m bench [--quick | --small] [--output FILE]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import agenda, program
from bench.listed import listed
from bench.sizes import FULL, QUICK, SMALL


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; gives the exit status."""
    asked = _parser().parse_args(arguments)
    return program.run(
        lambda: agenda.measure(asked.sizes), mode=asked.sizes.name, promised=listed(asked.sizes), output=asked.output
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the app beside its references.")
    less = parser.add_mutually_exclusive_group()
    less.add_argument(
        "--quick",
        dest="sizes",
        action="store_const",
        const=QUICK,
        default=FULL,
        help="a minute at most: fewer runs, no Azure CLI, no sweeps, no host processes",
    )
    less.add_argument(
        "--small",
        dest="sizes",
        action="store_const",
        const=SMALL,
        help="every measurement on worlds so small that figures mean nothing, to see that the bench works",
    )
    parser.add_argument("--output", type=Path, help="write the table as Markdown to this file as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
