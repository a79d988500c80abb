"""
Reads the built site as a browser would: nothing is loaded from elsewhere, and every link inside leads to something.

The strict build has checked the links of the pages' text. This looks at what came out of it, theme and search included, because
a page about closed networks should itself open in one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself."""
_STYLE_FETCHES = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])((?:https?:)?//[^'\")\s]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    loads: tuple[str, ...]
    links: tuple[str, ...]
    anchors: frozenset[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag in _LOADS and _LOADS[tag] in values:
            self.loads.append(values[_LOADS[tag]])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def faults(site: Path) -> tuple[str, ...]:
    """One sentence for each thing that a reader without internet would miss."""
    pages = {file.resolve(): _read(file) for file in sorted(site.rglob("*.html"))}
    if not pages:
        return (f"{site} holds no page.",)
    found = [fault for file, page in pages.items() for fault in _faults(file, page, pages, site.resolve())]
    for style in sorted(site.rglob("*.css")):
        text = style.read_text(encoding="utf-8")
        found += [f"{style.relative_to(site)} fetches {far} from elsewhere." for far in _STYLE_FETCHES.findall(text)]
    return tuple(found)


def _read(file: Path) -> _Page:
    reader = _Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    return _Page(loads=tuple(reader.loads), links=tuple(reader.links), anchors=frozenset(reader.anchors))


def _faults(file: Path, page: _Page, pages: dict[Path, _Page], site: Path) -> Iterator[str]:
    name = file.relative_to(site)
    for load in page.loads:
        if _far(load):
            yield f"{name} loads {load} from elsewhere."
        elif not _target(load, file, site).is_file():
            yield f"{name} loads {load}, which is not there."
    for link in page.links:
        if not _far(link) and (fault := _dead(link, file, pages, site)):
            yield f"{name}: {fault}"


def _far(address: str) -> bool:
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in {"", "file"}


def _target(address: str, file: Path, site: Path) -> Path:
    path = unquote(urlsplit(address).path)
    target = (site / path.lstrip("/") if path.startswith("/") else file.parent / path).resolve() if path else file
    return target / "index.html" if target.is_dir() else target


def _dead(link: str, file: Path, pages: dict[Path, _Page], site: Path) -> str | None:
    target, anchor = _target(link, file, site), unquote(urlsplit(link).fragment)
    if not target.is_file():
        return f"the link {link} leads to nothing."
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"the link {link} leads to a heading that is not there."
    return None
