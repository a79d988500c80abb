"""
Asks the package indexes whether a pinned dependency has a known vulnerability: `make audit-deps`.

pip-audit and npm both say "no vulnerabilities" when they could ask nobody, so here only an answer counts: a package that
could not be looked up is told as unchecked, and the command then ends with 2. The first and smallest file is a probe:
where no advisories can be had, nothing else is asked for. Advisories carry no date of their own; they are as the indexes
serve them at the moment that is printed. Without a network, answers that were kept can be asked (`kept_advisories`).
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.kept_advisories import MOST_AGE, Keeping, asking, read_kept

ROOT = Path(__file__).resolve().parents[1]
PIP_AUDIT = ".local/audit/bin/pip-audit"
CLEAN, VULNERABLE, UNCHECKED = 0, 1, 2
_PATIENCE_SECONDS = 600
_SHOWN = 200

type Runner = Callable[[Sequence[str]], str]
"""Runs a command in the repository and gives what it printed to its standard output, whatever its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """
    What is known of one file of pinned packages.

    Attributes:
        checked: How many packages were looked up.
        vulnerabilities: One line for each advisory.
        unchecked: One line for each package, or for the whole file, that could not be looked up.
    """

    file: str
    checked: int = 0
    vulnerabilities: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def requirement_files(root: Path) -> tuple[str, ...]:
    """Every file of pinned Python packages, the smallest one first."""
    return tuple(file.name for file in sorted(root.glob("requirements*.txt"), key=lambda file: file.stat().st_size))


def read_pip_audit(file: str, printed: str) -> Audited:
    """What pip-audit printed of *file* with `--format json`."""
    document = _document(printed)
    listed = document.get("dependencies")
    if not isinstance(listed, list) or not listed:
        return Audited(file=file, unchecked=(f"pip-audit gave no list of packages: {_excerpt(printed)}",))
    skipped = [f"{each['name']}: {each['skip_reason']}" for each in listed if "skip_reason" in each]
    found = [
        f"{each['name']} {each['version']}: {advisory['id']}, fixed in {', '.join(advisory['fix_versions']) or 'nothing yet'}"
        for each in listed
        for advisory in each.get("vulns", ())
    ]
    return Audited(
        file=file, checked=len(listed) - len(skipped), vulnerabilities=tuple(found), unchecked=tuple(skipped)
    )


def read_npm_audit(printed: str) -> Audited:
    """What `npm audit --json` printed."""
    file, document = "package-lock.json", _document(printed)
    counted, found = document.get("metadata"), document.get("vulnerabilities")
    if not isinstance(counted, dict) or not isinstance(found, dict):
        return Audited(file=file, unchecked=(f"npm got no advisories: {_excerpt(printed)}",))
    lines = tuple(f"{name} {each['range']}: {each['severity']}" for name, each in sorted(found.items()))
    return Audited(file=file, checked=counted["dependencies"]["total"], vulnerabilities=lines)


def audit(root: Path, run: Runner) -> tuple[Audited, ...]:
    """Audit everything that is pinned below *root*; stops after the first file where nothing could be looked up."""
    results = []
    for file in requirement_files(root):
        command = [
            PIP_AUDIT,
            "--require-hashes",
            "--disable-pip",
            "--progress-spinner=off",
            "--format=json",
            "-r",
            file,
        ]
        results.append(read_pip_audit(file, run(command)))
        if not results[-1].checked:
            break
    results.append(read_npm_audit(run(["npm", "audit", "--json"])))
    return tuple(results)


def verdict(results: Iterable[Audited]) -> int:
    """The exit code: a vulnerability weighs more than a gap, and a gap is no success."""
    results = tuple(results)
    if any(each.vulnerabilities for each in results):
        return VULNERABLE
    return UNCHECKED if any(each.unchecked for each in results) else CLEAN


def told(results: Iterable[Audited], now: datetime) -> str:
    """The results for a person."""
    lines = [f"Advisories as the package indexes served them at {now:%Y-%m-%d %H:%M} UTC."]
    for each in results:
        lines.append(f"{each.file}: {each.checked} packages looked up, {len(each.vulnerabilities)} advisories")
        lines += [f"  vulnerable  {line}" for line in each.vulnerabilities]
        lines += [f"  UNCHECKED   {line}" for line in each.unchecked]
    if any(each.unchecked for each in results):
        lines.append("Not everything could be checked: that is no statement about the packages. Run it where the")
        lines.append("package indexes and their advisories can be reached.")
    return "\n".join(lines)


def run(command: Sequence[str]) -> str:
    """As `Runner` says; why it could not run is what a command printed that could not."""
    try:
        ran = subprocess.run(  # our own command lines
            command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ran.stdout or ran.stderr


def _document(printed: str) -> dict[str, Any]:
    try:
        document = json.loads(printed)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _excerpt(printed: str) -> str:
    return " ".join(printed.split())[-_SHOWN:] or "nothing was printed"


def main(
    arguments: Sequence[str] | None = None, *, run: Runner = run, root: Path = ROOT, now: datetime | None = None
) -> int:
    """Audit, tell, and end with the verdict."""
    options = argparse.ArgumentParser(prog="make audit-deps", description=__doc__.split("\n\n")[0])
    options.add_argument("--keep", type=Path, metavar="FILE", help="write down what the indexes say")
    options.add_argument("--kept", type=Path, metavar="FILE", help="ask such a file instead of the indexes")
    asked = options.parse_args(arguments)
    now = now or datetime.now(UTC)
    if asked.kept:
        return _from_kept(asked.kept, root, now, options)
    keeping = Keeping(run)
    results = audit(root, keeping)
    print(told(results, now))
    if asked.keep:
        keeping.write(asked.keep, root, now)
    return verdict(results)


def _from_kept(file: Path, root: Path, now: datetime, options: argparse.ArgumentParser) -> int:
    try:
        kept = read_kept(file)
    except ValueError as error:
        options.error(str(error))
    results = audit(root, asking(kept, root))
    print(told(results, kept.at.astimezone(UTC)))
    if kept.is_old(now):
        print(f"These advisories are not of the last {MOST_AGE.days} days: they say nothing about today.")
        return VULNERABLE if verdict(results) == VULNERABLE else UNCHECKED
    return verdict(results)


if __name__ == "__main__":
    sys.exit(main())
