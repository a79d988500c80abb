"""Links between the pages lead somewhere in the repository too, where people read them without the site."""

import json
import re
from pathlib import Path

import pytest

from local.azurite import REPOSITORY
from local.pages.staging import FENCE
from tests.docs.commands import PAGES

LINK = re.compile(r"\]\(([^)\s]*)\)")
PICTURES_BYTES = 300_000


def prose(page: Path) -> str:
    """*page* without its fenced blocks."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, spaces to hyphens, whatever is no letter, digit, hyphen or underscore gone."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w-]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", each).lower().replace(" ", "-")) for each in titles
    }


def dead(page: Path) -> list[str]:
    found = []
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if re.match(r"(https|mailto):", link):
            continue
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_of_a_page_is_dead(page: Path) -> None:
    assert dead(page) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A `title` here\n[a](gone.md) [b](#nowhere) [c](#a-title-here) [d](https://example.com)\n```\n[e](f)\n```\n"
    )

    assert dead(page) == ["gone.md", "#nowhere"]


def test_every_setting_is_explained() -> None:
    sample = json.loads((REPOSITORY / "local.settings.sample.json").read_text())["Values"]
    page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")

    assert {name for name in sample if name.startswith("ISOLATION_") and f"`{name}`" not in page} == set()


def test_the_pictures_are_small_shown_and_described() -> None:
    pictures = sorted((REPOSITORY / "docs" / "images").iterdir())
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert sum(picture.stat().st_size for picture in pictures) < PICTURES_BYTES
    assert all(re.search(rf"!\[[^]]{{20,}}\]\([^)]*{picture.name}\)", text) for picture in pictures)
