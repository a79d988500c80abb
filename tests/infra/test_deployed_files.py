"""What a deployment packs: the product, and nothing that only helps to make it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = {"function_app.py", "handlers", "host.json", "policy.yaml", "requirements.txt", "shared"}
PATTERNS = [
    line.strip()
    for line in (ROOT / ".funcignore").read_text().splitlines()
    if line.strip() and not line.startswith("#")
]


def as_git_reads(pattern: str) -> re.Pattern[str]:
    """One line as git and azd read it: `/` first anchors, `/` last means a folder, `*` ends at a `/`."""
    anchored, name = pattern.startswith("/"), pattern.removeprefix("**/").strip("/")
    assert not pattern.startswith("!")
    assert "/" not in name
    wild = re.escape(name).replace(r"\*", "[^/]*")
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{wild}{'/.*' if pattern.endswith('/') else '(?:/.*)?'}")


def as_core_tools_read(pattern: str) -> re.Pattern[str]:
    """One line as Functions Core Tools read it (their GitIgnoreParser): the beginning of a path, `*` for something."""
    wild = re.escape(pattern.removeprefix("/")).replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
    return re.compile(f"{wild}.*")


READERS = [[read(pattern) for pattern in PATTERNS] for read in (as_git_reads, as_core_tools_read)]


def packers(path: str) -> int:
    """How many of the two tools pack a file at *path*, relative to the project."""
    return sum(not any(one.fullmatch(path) for one in reader) for reader in READERS)


def packed(folder: Path = ROOT) -> Iterator[str]:
    """The files of this tree that either tool would pack; folders that are ignored are not entered."""
    for entry in sorted(folder.iterdir()):
        path = entry.relative_to(ROOT).as_posix()
        if entry.is_dir() and packers(f"{path}/any"):
            yield from packed(entry)
        elif entry.is_file() and packers(path):
            yield path


def test_only_the_product_is_packed() -> None:
    assert {path.partition("/")[0] for path in packed()} <= PRODUCT


@pytest.mark.parametrize(
    "path",
    [
        "function_app.py",
        "host.json",
        "policy.yaml",
        "requirements.txt",
        "handlers/runtime.py",
        "shared/core/planner.py",
        "shared/cloud/arm_client.py",
    ],
)
def test_the_product_is_packed(path: str) -> None:
    assert packers(path) == len(READERS)


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".local/cli/bin/az",
        ".venv/bin/python",
        ".azure/prod/.env",
        "app_env/pyvenv.cfg",
        "bench/table.py",
        "docs/policy.md",
        "handlers/__pycache__/events.cpython-313.pyc",
        "infra/main.bicep",
        "local/simulator/world.py",
        "local.settings.json",
        "local.settings.sample.json",
        "node_modules/azurite/index.js",
        "package.json",
        "package-lock.json",
        "requirements-dev.txt",
        "tests/conftest.py",
    ],
)
def test_what_only_helps_is_not_packed(path: str) -> None:
    assert packers(path) == 0


def test_every_module_of_the_product_is_packed() -> None:
    modules = {
        file.relative_to(ROOT).as_posix() for room in ("handlers", "shared") for file in (ROOT / room).rglob("*.py")
    }

    assert modules <= set(packed())
