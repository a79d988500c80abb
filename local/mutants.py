"""
Changes the planner and the errors in small ways and asks whether a test notices: `make mutants`.

mutmut does the changing. It works in a copy below .local/, because it rewrites files. A change that no test notices must be
described in docs/quality.md, as a diff with the reason why it changes nothing; any other one fails the command.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = Path(".local/mutants")
TREE = HOME / "tree"
QUALITY = Path("docs/quality.md")
_BLOCK = re.compile(r"^```diff\n(.*?)^```", re.MULTILINE | re.DOTALL)
_RESULT = re.compile(r"^\s+(\S+): (survived|no tests|timeout|suspicious|segfault)$", re.MULTILINE)

type Diff = tuple[str, ...]
"""The lines that a change takes away and puts in, each with its sign and without indentation."""


def diff_of(text: str) -> Diff:
    """The changed lines of a unified diff."""
    lines = [line for line in text.splitlines() if re.match(r"[+-](?![+-]{2})", line)]
    return tuple(f"{line[0]}{line[1:].strip()}" for line in lines)


def explained(page: str) -> frozenset[Diff]:
    """Every change that *page* describes."""
    return frozenset(diff_of(block) for block in _BLOCK.findall(page))


def survivors(results: str) -> tuple[str, ...]:
    """Names of the changes that no test noticed, from what `mutmut results` prints."""
    return tuple(name for name, _ in _RESULT.findall(results))


def unexplained(diffs: Iterable[str], page: str) -> tuple[str, ...]:
    """Those of *diffs* that *page* does not describe."""
    known = explained(page)
    return tuple(diff for diff in diffs if diff_of(diff) not in known)


def _copy(root: Path, tree: Path) -> None:
    """What is not committed yet counts as well."""
    shutil.rmtree(tree, ignore_errors=True)
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name)


def _mutmut(root: Path, *arguments: str, quiet: bool = True) -> str:
    environment = {**os.environ, "PYTHONPATH": str(root / HOME / "packages")}
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(
        command, cwd=root / TREE, env=environment, check=True, text=True, stdout=subprocess.PIPE if quiet else None
    )
    return done.stdout or ""


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Run what *arguments* ask for (names of changes; all if none) and judge what is left."""
    _copy(root, root / TREE)
    _mutmut(root, "run", *arguments, quiet=False)
    diffs = [_mutmut(root, "show", name) for name in survivors(_mutmut(root, "results"))]
    open_ = unexplained(diffs, (root / QUALITY).read_text("utf-8"))
    for diff in open_:
        sys.stdout.write(f"{diff}\n")
    sys.stdout.write(f"{len(diffs)} changes went unnoticed, {len(open_)} of them without an explanation in {QUALITY}\n")
    return 1 if open_ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
