"""
`make fuzz`: atheris looks for bytes that a parser cannot take, for some seconds each, guided by coverage.

Every parser runs in a process of its own, because atheris takes the process over and a finding ends it. What was found
lies below .local/fuzz-findings, with the command that shows it again; what was learnt on the way is not kept.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ROOT / ".local" / "fuzz-findings"
_LONGEST_INPUT = 4096


def main() -> int:
    """Fuzz every parser, or show a finding again."""
    from local.fuzz.parsers import PARSERS  # noqa: PLC0415 -- the fuzzing child must load it itself, instrumented

    options = argparse.ArgumentParser(prog="make fuzz")
    options.add_argument("--seconds", type=int, default=60, help="for each parser")
    options.add_argument("--only", choices=sorted(PARSERS), help="one parser")
    options.add_argument("--again", type=Path, help="a file of findings; needs --only")
    asked = options.parse_args()
    if asked.again:
        PARSERS[asked.only](asked.again.read_bytes())
        return 0
    FINDINGS.mkdir(parents=True, exist_ok=True)
    broken = [name for name in ([asked.only] if asked.only else PARSERS) if not _fuzz(name, asked.seconds)]
    for name in broken:
        print(f"{name} met input that it cannot take: make fuzz ARGS='--only {name} --again <file of {FINDINGS}>'")
    return 1 if broken else 0


def _fuzz(name: str, seconds: int) -> bool:
    with tempfile.TemporaryDirectory() as corpus:
        limits = [f"-max_total_time={seconds}", f"-max_len={_LONGEST_INPUT}", "-timeout=20", "-rss_limit_mb=2048"]
        prefix = f"-artifact_prefix={FINDINGS}/{name}-"
        command = [sys.executable, "-m", "local.fuzz.child", name, *limits, prefix, corpus]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = ran.stderr.strip().splitlines()
    print(f"{name:16} {_done(lines)}", flush=True)
    if ran.returncode:
        print("\n".join(lines[-20:]), flush=True)
    return ran.returncode == 0


def _done(lines: Sequence[str]) -> str:
    return next((line for line in reversed(lines) if line.startswith("Done ")), "did not end by itself")


if __name__ == "__main__":
    sys.exit(main())
