"""
`make fuzz`: atheris looks for bytes that a parser cannot take, for some seconds each, guided by coverage.

Every parser runs in a process of its own, because atheris takes the process over and a finding ends it. What was found
lies below .local/fuzz-findings, with the command that shows it again; what was learnt on the way is not kept.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from local.fuzz.parsers import PARSERS

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / ".local" / "fuzz-findings"
_LONGEST_INPUT = 4096


type Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]
"""Runs a command of this repository to its end."""


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """As `Run` says."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def main(arguments: Sequence[str] | None = None, *, findings: Path = FINDINGS, run: Run = run) -> int:
    """Fuzz every parser, or show a finding again; gives the exit status, and raises what a finding raises."""
    asked = _asked(arguments)
    if asked.again:
        PARSERS[asked.only](asked.again.read_bytes())
        print(f"{asked.only} takes it.")
        return 0
    findings.mkdir(parents=True, exist_ok=True)
    broken = [
        name for name in ([asked.only] if asked.only else PARSERS) if not _fuzz(name, asked.seconds, findings, run)
    ]
    for name in broken:
        print(f"{name} met input that it cannot take: make fuzz ARGS='--only {name} --again <file of {findings}>'")
    return 1 if broken else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make fuzz")
    options.add_argument("--seconds", type=_seconds, default=60, help="for each parser")
    options.add_argument("--only", choices=sorted(PARSERS), help="one parser")
    options.add_argument("--again", type=Path, help="a file of findings; needs --only")
    asked = options.parse_args(arguments)
    if asked.again and not asked.only:
        options.error("--again needs --only: the parser that the file was found for")
    if asked.again and not asked.again.is_file():
        options.error(f"there is no file {asked.again}")
    return asked


def _seconds(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more: libFuzzer takes 0 for no end")
    return int(text)


def _fuzz(name: str, seconds: int, findings: Path, run: Run) -> bool:
    with tempfile.TemporaryDirectory() as corpus:
        limits = [f"-max_total_time={seconds}", f"-max_len={_LONGEST_INPUT}", "-timeout=20", "-rss_limit_mb=2048"]
        prefix = f"-artifact_prefix={findings}/{name}-"
        command = [sys.executable, "-m", "local.fuzz.child", name, *limits, prefix, corpus]
        ran = run(command)
    lines = ran.stderr.strip().splitlines()
    print(f"{name:16} {_done(lines)}", flush=True)
    if ran.returncode:
        print("\n".join(lines[-20:]), flush=True)
    return ran.returncode == 0


def _done(lines: Sequence[str]) -> str:
    return next((line for line in reversed(lines) if line.startswith("Done ")), "did not end by itself")


if __name__ == "__main__":
    sys.exit(main())
