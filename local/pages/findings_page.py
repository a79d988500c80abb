"""
What the dashboard shows of docs/findings.md: `python -m local.pages.findings_page > handlers/web/findings.html` makes it.

docs/ is not deployed, and whoever reads a finding at night has no repository at hand. So the page goes with the app. A test
compares it. Links within the page stay; the other pages are named, since the app does not have them.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from local.azurite import REPOSITORY

SOURCE = PurePosixPath("docs/findings.md")
_WORDS = re.compile(r"[^\w\- ]")


def findings_page() -> str:
    """The page's inside, without its title, as HTML that no template has to escape."""
    return fragment((REPOSITORY / SOURCE).read_text(encoding="utf-8"))


def fragment(text: str) -> str:
    """
    *text* as HTML: no raw HTML, headings with the anchors that links to them use.

    Raises:
        ValueError: It holds something that the template engine would take for its own.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = _without_title(reader.parse(text))
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[at + 1].content))
        if token.type == "inline":
            token.children = _relinked(token.children or [])
    html = str(reader.renderer.render(tokens, reader.options, {}))
    if found := re.search(r"\{[{%#]", html):
        raise ValueError(f"{found[0]!r} is not for the template engine to read; say it in another way.")
    return html


def anchor(heading: str) -> str:
    """What links to *heading* name, as the site and the repository's pages do."""
    return _WORDS.sub("", heading).strip().lower().replace(" ", "-")


def _without_title(tokens: Sequence[Token]) -> list[Token]:
    """The page that shows it has a title of its own."""
    ends = next((at for at, token in enumerate(tokens) if token.type == "heading_close" and token.tag == "h1"), -1)
    return list(tokens[ends + 1 :])


def _relinked(tokens: Sequence[Token]) -> list[Token]:
    """Links that lead out of the page become words."""
    kept: list[Token] = []
    away = ""
    for token in tokens:
        if token.type == "link_open" and not str(token.attrGet("href")).startswith("#"):
            away = str(token.attrGet("href"))
        elif token.type == "link_close" and away:
            said = kept[-1].content == away
            kept[-1].content = f"docs/{away}" if said else f"{kept[-1].content} (docs/{away})"
            away = ""
        else:
            kept.append(token)
    return kept


if __name__ == "__main__":
    sys.stdout.write(findings_page())
