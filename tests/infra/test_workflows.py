"""The workflows run what exists here, with actions that nobody can change behind our back."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
every_workflow = pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)


def steps(file: Path) -> Iterator[dict[str, Any]]:
    for job in yaml.safe_load(file.read_text())["jobs"].values():
        yield from job["steps"]


@every_workflow
def test_an_action_is_a_commit_and_a_comment_says_of_which_version(file: Path) -> None:
    used = re.findall(r"uses: (.+)$", file.read_text(), re.MULTILINE)

    assert len(used) == len([step for step in steps(file) if "uses" in step]) > 0
    assert [one for one in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


def test_one_version_has_one_commit() -> None:
    used = {one for file in WORKFLOWS for one in re.findall(r"uses: (.+)$", file.read_text(), re.MULTILINE)}

    assert len(used) == len({one.partition("@")[0] for one in used})


@every_workflow
def test_a_workflow_may_only_read(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["permissions"] == {"contents": "read"}


def test_what_is_made_has_a_target() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = {one for file in WORKFLOWS for one in re.findall(r"\bmake ([a-z-]+)", file.read_text())}

    assert {"check", "infra-check"} <= made <= targets


def test_every_entrance_is_built_by_the_compiler() -> None:
    built = re.findall(r"az bicep build --file (\S+)", (ROOT / ".github" / "workflows" / "bicep.yml").read_text())

    assert sorted(built) == sorted(str(file.relative_to(ROOT)) for file in (ROOT / "infra").glob("*.bicep"))
