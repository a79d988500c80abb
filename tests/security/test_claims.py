"""Every claim of docs/security.md has tests that exist, and no test of this room is without a claim."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"^- `(tests/[\w/]+\.py)::(test_\w+)`$", re.MULTILINE)
CLAIM = re.compile(r"^### (\d+)\. .+$", re.MULTILINE)


@cache
def defined_in(file: str) -> frozenset[str]:
    """The tests that a file defines; none if there is no such file."""
    path = ROOT / file
    tree = ast.parse(path.read_text() if path.is_file() else "")
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def absent(page: str) -> list[str]:
    return [f"{file}::{test}" for file, test in NAMED.findall(page) if test not in defined_in(file)]


def test_every_test_that_a_claim_names_exists() -> None:
    assert absent(PAGE) == []


def test_an_invented_test_is_found() -> None:
    invented = ("tests/security/test_claims.py::test_nothing", "tests/nowhere.py::test_it")

    assert absent("".join(f"- `{one}`\n" for one in invented)) == list(invented)


def test_claims_are_numbered_and_each_names_a_test_once() -> None:
    parts = re.split(r"^#{2,3} ", PAGE, flags=re.MULTILINE)
    claims = [part for part in parts if re.match(r"\d+\. ", part)]
    numbers = [int(number) for number in CLAIM.findall(PAGE)]

    assert numbers == list(range(1, len(claims) + 1))
    assert [claim.partition("\n")[0] for claim in claims if not NAMED.search(claim)] == []
    assert len(set(NAMED.findall(PAGE))) == len(NAMED.findall(PAGE)) == PAGE.count("- `tests/")


def test_every_file_of_this_room_is_named_by_a_claim() -> None:
    here = {str(file.relative_to(ROOT)) for file in Path(__file__).parent.glob("test_*.py")}

    assert here - {file for file, _ in NAMED.findall(PAGE)} == set()
