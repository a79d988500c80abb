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


def expression(pattern: str) -> re.Pattern[str]:
    """One line of an ignore file, as far as ours go: `/` first anchors, `/` last means a folder, `*` ends at a `/`."""
    anchored, name = pattern.startswith("/"), pattern.strip("/")
    assert "**" not in pattern
    assert not pattern.startswith("!")
    assert "/" not in name
    wild = re.escape(name).replace(r"\*", "[^/]*")
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{wild}{'/.*' if pattern.endswith('/') else '(?:/.*)?'}")


EXPRESSIONS = [expression(pattern) for pattern in PATTERNS]


def is_packed(path: str) -> bool:
    """Whether a file at *path*, relative to the project, is part of the package."""
    return not any(one.fullmatch(path) for one in EXPRESSIONS)


def packed(folder: Path = ROOT) -> Iterator[str]:
    """The files of this tree that would be packed; folders that are ignored are not entered."""
    for entry in sorted(folder.iterdir()):
        path = entry.relative_to(ROOT).as_posix()
        if entry.is_dir() and is_packed(f"{path}/any"):
            yield from packed(entry)
        elif entry.is_file() and is_packed(path):
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
    assert is_packed(path)


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
        "requirements-dev.txt",
        "tests/conftest.py",
    ],
)
def test_what_only_helps_is_not_packed(path: str) -> None:
    assert not is_packed(path)


def test_every_module_of_the_product_is_packed() -> None:
    modules = {
        file.relative_to(ROOT).as_posix() for room in ("handlers", "shared") for file in (ROOT / room).rglob("*.py")
    }

    assert modules <= set(packed())
