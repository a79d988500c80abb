"""
Advisories that were kept: what the indexes said on one day, for a look where they cannot be reached.

`make audit-deps ARGS='--keep FILE'` writes down every answer, with its moment; `--kept FILE` asks that file instead of the
indexes. A package is known only in the version that was looked up then, and packages of npm only as long as the lock file
is the same; everything else is unchecked. Advisories that are older than a month are no statement about today.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

MOST_AGE = timedelta(days=31)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([\w.!+]+)", re.MULTILINE)
_LOCK = "package-lock.json"

type Runner = Callable[[Sequence[str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """
    What was answered.

    Attributes:
        at: When.
        packages: `name==version` to what pip-audit said of it.
        npm: What npm printed.
        lock: SHA-256 of the lock file it was about.
    """

    at: datetime
    packages: Mapping[str, Mapping[str, Any]]
    npm: str
    lock: str

    def is_old(self, now: datetime) -> bool:
        """Too old to say anything about today, or of a day to come."""
        return not timedelta() <= now - self.at <= MOST_AGE


class Keeping:
    """A runner that remembers the answers of the one it asks."""

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._packages: dict[str, Mapping[str, Any]] = {}
        self._npm = ""

    def __call__(self, command: Sequence[str]) -> str:
        """Run *command*."""
        printed = self._run(command)
        if command[0] == "npm":
            self._npm = printed
        else:
            self._packages |= {_key(each["name"], each["version"]): each for each in _looked_up(printed)}
        return printed

    def write(self, file: Path, root: Path, now: datetime) -> None:
        """Keep what was answered in *file*."""
        document = {"at": now.isoformat(), "packages": self._packages, "npm": self._npm, "lock": _lock(root)}
        file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


def read_kept(file: Path) -> Kept:
    """
    The answers that *file* keeps.

    Raises:
        ValueError: It is none of these files.
    """
    try:
        document = json.loads(file.read_text())
        at = datetime.fromisoformat(document["at"])
        kept = Kept(at=at, packages=dict(document["packages"]), npm=str(document["npm"]), lock=str(document["lock"]))
    except (OSError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} keeps no advisories ({type(error).__name__}).") from error
    if kept.at.tzinfo is None:
        raise ValueError(f"{file} does not say in which time zone its moment is.")
    return kept


def asking(kept: Kept, root: Path) -> Runner:
    """A runner that answers from *kept*, for what is pinned below *root*."""

    def answer(command: Sequence[str]) -> str:
        if command[0] == "npm":
            same = _lock(root) == kept.lock
            return kept.npm if same else f"the lock file is not the one of {kept.at:%Y-%m-%d %H:%M} UTC"
        pins = _PIN.findall((root / command[-1]).read_text())
        return json.dumps({"dependencies": [_known(kept, name, version) for name, version in pins]})

    return answer


def _known(kept: Kept, name: str, version: str) -> Mapping[str, Any]:
    why = f"version {version} was not looked up at {kept.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return kept.packages.get(_key(name, version)) or {"name": name, "skip_reason": why}


def _looked_up(printed: str) -> Iterable[Mapping[str, Any]]:
    try:
        document = json.loads(printed)
    except ValueError:
        return ()
    listed = document.get("dependencies") if isinstance(document, dict) else None
    return [each for each in listed or () if "skip_reason" not in each]


def _key(name: str, version: str) -> str:
    """Names of packages are the same in any casing, with hyphens, dots and underscores (specification of names)."""
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


def _lock(root: Path) -> str:
    file = root / _LOCK
    return sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
