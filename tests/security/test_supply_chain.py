"""What is installed is what was pinned: every package by version and hash, every install held to the hashes."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REQUIREMENTS = sorted(ROOT.glob("requirements*.txt"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[\w,-]+\])?==[\w.!+]+( ; [^\\]+)?( \\)?")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
INSTALLS = re.compile(r"\b(?:pip|pip3|\$\(UV\) pip|uv pip|uv)\s+(?:install|sync)\b.*")


def unpinned(text: str) -> list[str]:
    """What of a file of requirements is not a version with at least one SHA-256."""
    wrong, hashed = [], True
    for line in text.splitlines():
        if HASH.fullmatch(line):
            hashed = True
        elif PINNED.fullmatch(line) and hashed:
            hashed = False
        else:
            wrong.append(line)
    return wrong if hashed else [*wrong, "the last requirement has no hash"]


@pytest.mark.parametrize("file", REQUIREMENTS, ids=lambda file: file.stem)
def test_every_requirement_is_pinned_with_a_hash(file: Path) -> None:
    assert unpinned(file.read_text()) == []
    assert "==" in file.read_text()


@pytest.mark.parametrize("loose", ["a>=1 \\\n", "a==1\n", "-e .\n", "a==1 \\\n    --hash=md5:00\n", "a @ file:///a\n"])
def test_a_loose_requirement_is_found(loose: str) -> None:
    sound = "b==2 \\\n    --hash=sha256:" + "0" * 64 + "\n"

    assert unpinned(sound) == []
    assert unpinned(loose + sound)
    assert unpinned(sound + loose)


def test_every_install_is_held_to_the_hashes() -> None:
    files = [ROOT / "Makefile", ROOT / ".ci" / "run", *WORKFLOWS, *sorted((ROOT / "infra" / "hooks").iterdir())]
    installs = [found for file in files for found in INSTALLS.findall(file.read_text())]

    assert len(installs) >= 4
    assert [one for one in installs if "--require-hashes" not in one] == []


def test_every_node_package_has_an_integrity_hash_and_is_installed_from_the_lock_file() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    weak = [name for name, one in packages.items() if name and not one.get("integrity", "").startswith("sha512-")]
    scripts = "\n".join(file.read_text() for file in (ROOT / "Makefile", ROOT / ".ci" / "run", *WORKFLOWS))

    assert weak == []
    assert "npm ci" in scripts
    assert not re.search(r"npm (install|i|update)\b", scripts)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_a_workflow_keeps_no_token_and_takes_no_secret(file: Path) -> None:
    jobs = yaml.safe_load(file.read_text())["jobs"].values()
    checkouts = [step for job in jobs for step in job["steps"] if step.get("uses", "").startswith("actions/checkout")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert not re.search(r"secrets\.|pull_request_target|\$\{\{\s*github\.(head_ref|event)", file.read_text())


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_an_action_of_a_workflow_is_a_commit(file: Path) -> None:
    used = re.findall(r"^\s*(?:- )?uses:\s*(\S+)", file.read_text(), re.MULTILINE)

    assert used
    assert [one for one in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", one)] == []
