"""
`python -m local.campaign`: run cases, say what came of them, and how to replay what failed.

Exit status: 0 when every promise was kept, 1 when one was broken, 2 for arguments that mean nothing.
"""

import argparse
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import batched, islice

from local.campaign.cases import Case, Kind
from local.campaign.draw import draw
from local.campaign.tally import Tally
from local.campaign.trial import Trial, attempt
from local.campaign.weather import AppCall

_BATCH = 64
"""Cases that are drawn and handed to the processes at once."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; gives the exit status."""
    asked = _parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)  # the app tells of every fault; here they are the plan
    try:
        return _campaign(asked)
    finally:
        logging.disable(logging.NOTSET)


def _campaign(asked: argparse.Namespace) -> int:
    cases = iter([asked.replay]) if asked.replay else islice(draw(asked.seed, _calls, asked.only), asked.runs)
    tally = Tally()
    for trial in _trials(cases, asked.jobs):
        tally.add(trial)
        if trial.problems:
            print(tally.failure(trial), flush=True)
        elif asked.replay:
            print(f"{trial.case} kept every promise in {len(trial.calls)} calls.")
    print(tally.summary())
    return 1 if tally.failed else 0


def _calls(case: Case) -> tuple[AppCall, ...]:
    return attempt(case).calls


def _trials(cases: Iterator[Case], jobs: int) -> Iterator[Trial]:
    if jobs < 2:
        yield from map(attempt, cases)
        return
    with ProcessPoolExecutor(jobs, initializer=logging.disable, initargs=(logging.CRITICAL,)) as pool:
        for batch in batched(cases, _BATCH, strict=False):
            yield from pool.map(attempt, batch)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.campaign", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="how many cases (200)")
    parser.add_argument("--seed", type=int, default=1, help="what they are drawn from (1)")
    parser.add_argument("--only", type=Kind, choices=list(Kind), metavar="KIND", help=f"one of {', '.join(Kind)}")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--replay", type=Case.parse, metavar="CASE", help="one case, as a failure printed it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
