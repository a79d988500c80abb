"""The folder that the site is built from: what links of the repository become."""

from pathlib import Path

import pytest

from local.pages.staging import MERMAID, outside_of_fences, stage


def repository(folder: Path, **pages: str) -> Path:
    """A small repository: README.md, docs/guide.md and docs/rules/one.md, with *pages* as texts of some."""
    files = {
        "README.md": pages.get("readme", "# Readme\n"),
        "docs/guide.md": pages.get("guide", "# Guide\n"),
        "docs/rules/one.md": pages.get("rule", "# One\n"),
        "docs/data.json": "{}",
        "infra/role.json": "role",
        str(MERMAID): "mermaid",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def staged(folder: Path, page: str, **pages: str) -> str:
    stage(repository(folder / "repository", **pages), folder / "site")
    return (folder / "site" / page).read_text()


def test_the_readme_becomes_the_first_page_and_its_links_lead_into_the_site(tmp_path: Path) -> None:
    text = staged(tmp_path, "index.md", readme="[g](docs/guide.md#part) [d](docs/data.json) [r](infra/role.json)")

    assert text == "[g](guide.md#part) [d](data.json) [r](repository/infra/role.json)"


def test_a_file_outside_of_docs_comes_along(tmp_path: Path) -> None:
    beside = stage(repository(tmp_path / "repository", rule="[r](../../infra/role.json)"), tmp_path / "site")

    assert [str(file) for file in beside] == ["infra/role.json"]
    assert (tmp_path / "site" / "repository" / "infra" / "role.json").read_text() == "role"
    assert (tmp_path / "site" / "rules" / "one.md").read_text() == "[r](../repository/infra/role.json)"


def test_a_page_may_link_to_the_readme(tmp_path: Path) -> None:
    assert staged(tmp_path, "rules/one.md", rule="[home](../../README.md#try)") == "[home](../index.md#try)"


@pytest.mark.parametrize(
    "link", ["[x](https://learn.microsoft.com/azure)", "[x](#here)", "[x](mailto:a@b.example)", "[x](guide.md)"]
)
def test_links_that_are_right_already_stay(tmp_path: Path, link: str) -> None:
    assert staged(tmp_path, "guide.md", guide=link) == link


@pytest.mark.parametrize("link", ["[x](nowhere.md)", "[x](../../../etc/passwd)", "[x](../infra)"])
def test_a_link_that_leads_to_no_file_stays_for_the_strict_build_to_name(tmp_path: Path, link: str) -> None:
    assert staged(tmp_path, "guide.md", guide=link) == link
    assert not (tmp_path / "site" / "repository").exists()


def test_fenced_blocks_are_left_alone(tmp_path: Path) -> None:
    block = "```python\nx[0](docs/guide.md)\n```\n"

    assert staged(tmp_path, "index.md", readme=f"{block}[g](docs/guide.md)\n") == f"{block}[g](guide.md)\n"
    assert outside_of_fences(f"a\n{block}a\n", str.upper) == f"A\n{block}A\n"


def test_what_an_earlier_build_left_is_gone(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "old.md").write_text("# Old\n")

    stage(repository(tmp_path / "repository"), tmp_path / "site")

    assert not (tmp_path / "site" / "old.md").exists()
    assert (tmp_path / "site" / "assets" / MERMAID.name).read_text() == "mermaid"
