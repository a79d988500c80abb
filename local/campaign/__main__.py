"""
`python -m local.campaign`: run cases, say what came of them, and how to replay what failed.

Exit status: 0 when every promise was kept, 1 when one was broken, 2 for arguments that mean nothing.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import batched, chain, islice

from local.campaign.cases import Case
from local.campaign.crossroads import attempt_together
from local.campaign.draw import draw
from local.campaign.grid import Path, Record, cells, count, table
from local.campaign.kinds import Kind
from local.campaign.tally import Tally
from local.campaign.trial import Trial, attempt
from local.campaign.workers import Play, bundles, run_all

_TELL_EACH = 250
_TOGETHER = 2000
"""Cases that are sorted by story and world, so that those of one are played together."""


def record(case: Case) -> Path:
    """The calls of *case*, in which nothing goes wrong."""
    clean = attempt(case)
    return Path(calls=clean.calls, store_calls=clean.store_calls)


def main(arguments: Sequence[str] | None = None, *, record: Record = record, play: Play = attempt_together) -> int:
    """
    Run the command line; gives the exit status.

    Args:
        record: Gives the paths that faults fall on.
        play: Plays cases of one story in one world.
    """
    asked = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)  # the app tells of every fault; here they are the plan
    try:
        return _grid(asked, record) if asked.grid else _campaign(asked, record, play)
    finally:
        logging.disable(logging.NOTSET)


def _grid(asked: argparse.Namespace, record: Record) -> int:
    found = cells(record, asked.only)
    if asked.grid == "list":
        for case in found:
            print(case)
    else:
        print(table(count(found)))
    return 0


def _campaign(asked: argparse.Namespace, record: Record, play: Play) -> int:
    tally, began = Tally(), time.monotonic()
    for trial in _trials(asked, record, play):
        tally.add(trial)
        if trial.problems:
            print(tally.failure(trial), flush=True)
        elif asked.replay:
            print(f"{trial.case} kept every promise in {len(trial.calls)} calls.")
        if tally.runs % _TELL_EACH == 0:
            rate = tally.runs / (time.monotonic() - began)
            done = getattr(asked, "from") + tally.runs
            again = f" (go on with --from {done})" if tally.runs % _TOGETHER == 0 else ""
            print(f"{done} runs done, {len(tally.failed)} broken, {rate:.1f} a second{again}", flush=True)
    print(tally.summary())
    return 1 if tally.failed else 0


def _trials(asked: argparse.Namespace, record: Record, play: Play) -> Iterator[Trial]:
    if asked.replay:
        return map(attempt, [asked.replay])
    first = getattr(asked, "from")
    cases = islice(draw(asked.seed, record, asked.only), first, first + asked.runs)
    return chain.from_iterable(
        run_all(bundles(together), asked.jobs, play=play) for together in batched(cases, _TOGETHER, strict=False)
    )


def _number(least: int) -> Callable[[str], int]:
    """Reads an argument that is a number, and no smaller one."""

    def number(text: str) -> int:
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more")
        return int(text)

    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.campaign", description=__doc__)
    parser.add_argument("--runs", type=_number(1), default=200, help="how many cases (200)")
    parser.add_argument(
        "--from", type=_number(0), default=0, metavar="N", help="leave out the first N, as done before (0)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the order of the grid, and what pairs are drawn from (1)")
    parser.add_argument("--only", type=Kind, choices=list(Kind), metavar="KIND", help=f"one of {', '.join(Kind)}")
    parser.add_argument("--jobs", type=_number(1), default=1, help="processes (1)")
    parser.add_argument("--replay", type=Case.parse, metavar="CASE", help="one case, as a failure printed it")
    parser.add_argument(
        "--grid", nargs="?", const="table", choices=["table", "list"], help="say what the grid's cells are, run nothing"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
