"""The site is built strictly, every page is in its navigation, and a planted fault stops the build."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from local.azurite import REPOSITORY
from local.pages.__main__ import BUILDER, main

PLANTED = "[dead](nowhere.md) and [no such heading](policy.md#nowhere)"


class _Tolerant(yaml.SafeLoader):
    """Reads the file without doing what its tags say."""


_Tolerant.add_multi_constructor("", lambda *_: None)
_Tolerant.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


def pages_of(entries: list[dict[str, object]]) -> list[str]:
    found: list[str] = []
    for entry in entries:
        for value in entry.values():
            found += pages_of(value) if isinstance(value, list) else [str(value)]
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    configuration = yaml.load((REPOSITORY / "properdocs.yml").read_text(), _Tolerant)  # noqa: S506 -- a SafeLoader
    docs = REPOSITORY / "docs"

    assert sorted(pages_of(configuration["nav"])) == sorted(
        ["index.md", *(str(page.relative_to(docs)) for page in docs.rglob("*.md"))]
    )


@pytest.mark.slow
def test_the_site_has_no_fault_and_a_planted_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not (REPOSITORY / BUILDER).exists():
        why = "`make docs` has not been run here."
        pytest.fail(why) if os.environ.get("CI", "").lower() == "true" else pytest.skip(why)
    for name in ("infra", "node_modules", "policy.example.yaml", "local.settings.sample.json", "properdocs.yml"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    shutil.copyfile(REPOSITORY / "README.md", tmp_path / "README.md")
    shutil.copytree(REPOSITORY / "docs", tmp_path / "docs")
    page = tmp_path / "docs" / "audit.md"

    assert main(["--work", str(tmp_path / "work")], repository=tmp_path) == 0
    first = tmp_path / "work" / "html" / "index.html"
    assert capsys.readouterr().out.startswith(f"The documentation is in {first}\n")
    assert "Registry Isolation" in first.read_text()

    page.write_text(f"{page.read_text()}\n{PLANTED}\n")
    assert main(["--work", str(tmp_path / "work")], repository=tmp_path) == 1
    told = capsys.readouterr().err
    assert "'nowhere.md'" in told
    assert "#nowhere" in told
