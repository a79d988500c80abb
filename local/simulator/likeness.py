"""
How alike the simulated Azure is to recordings of the real one.

    python -m local.simulator.likeness FILE.jsonl [--op OP] [--verbose] [--json] [--fail-under PERCENT]

Replays recorded exchanges, each source file against a simulated Azure of its own, and tells per operation how many
answers agree in status, in the presence of headers, in states and in the key paths of their bodies, and every
difference. The simulated answers come from the simulator's own rules: a recorded answer only tells what must have been
there before (see `likeness_arrange`), and is compared afterwards.

Ends 0 when the file was replayed, 1 when `--fail-under` was missed, 2 when the file cannot be read.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from local.simulator.likeness_exchanges import Recording, read
from local.simulator.likeness_replay import replay
from local.simulator.likeness_report import Report, as_json, detail_lines, difference_lines, table


def measure(lines: Iterable[str], operations: Sequence[str] = ()) -> Report:
    """Replay the exchanges in *lines*; only those of *operations* are counted, when there are any."""
    return _measure(read(lines), frozenset(operations))


def _measure(recording: Recording, operations: frozenset[str]) -> Report:
    outcomes = [
        outcome
        for source in recording.sources
        if not operations or any(each.op in operations for each in source)
        for outcome in replay(source)
        if not operations or outcome.exchange.op in operations
    ]
    return Report(outcomes=tuple(outcomes), bad_lines=recording.bad_lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    try:
        text = options.file.read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        print(f"{options.file} cannot be read: {problem}", file=sys.stderr)
        return 2
    report = measure(text.split("\n"), options.op)
    if options.json:
        print(json.dumps(as_json(report)))
    else:
        _print(report, verbose=options.verbose)
    found = report.of() if options.everything else report.product
    return 1 if found.percent < options.fail_under else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulator.likeness", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", type=Path, help="recorded exchanges, one JSON object per line")
    parser.add_argument("--op", action="append", default=[], help="count only this operation (may be repeated)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    parser.add_argument("--verbose", action="store_true", help="print every exchange that differs, one by one")
    parser.add_argument(
        "--fail-under",
        type=float,
        default=0.0,
        metavar="PERCENT",
        help="end 1 when less than this agrees altogether among the operations that the product uses",
    )
    parser.add_argument("--everything", action="store_true", help="let --fail-under look at all operations of the file")
    return parser


def _print(report: Report, *, verbose: bool) -> None:
    for line in table(report):
        print(line)
    print()
    print("Differences" if report.outcomes else "No exchanges")
    for line in detail_lines(report.outcomes) if verbose else difference_lines(report.outcomes):
        print(line)
    for call, count in report.unsupported():
        print(f"{count:>4}x not supported by the simulated Azure: {call}")
    for bad in report.bad_lines:
        print(f"line {bad.line} is no exchange: {bad.why}")


if __name__ == "__main__":
    sys.exit(main())
