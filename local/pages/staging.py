"""
Makes the folder that the site is built from: docs/ as it is, README.md as the first page, and the files they link to.

A link to a file outside of docs/ works in the repository and would be dead in the site, so such a file comes along, and
the link leads to the copy. A link that leads nowhere stays as it is: the strict build then names it.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

FIRST_PAGE = PurePosixPath("index.md")
BESIDE = PurePosixPath("repository")
"""Where the copies of files outside of docs/ are."""
MERMAID = PurePosixPath("node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js")
FENCE = re.compile(r"^ *(```|~~~).*?^ *\1[^\n]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()(?P<path>[^)#\s]+)(?=[)#])")
_ELSEWHERE = re.compile(r"[a-z]+:")


def stage(repository: Path, target: Path) -> tuple[PurePosixPath, ...]:
    """Fill *target* anew from *repository*, and tell which files from outside of docs/ came along."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(repository / "docs", target)
    beside: set[PurePosixPath] = set()
    pages = [PurePosixPath("README.md"), *_pages(repository)]
    for page in pages:
        text = (repository / page).read_text(encoding="utf-8")
        place = target / _place(page)
        place.write_text(_relinked(text, page, repository, beside), encoding="utf-8")
    for file in (*beside, MERMAID):
        copy = target / _place(file)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository / file, copy)
    return tuple(sorted(beside))


def _pages(repository: Path) -> list[PurePosixPath]:
    return [PurePosixPath(page.relative_to(repository)) for page in sorted((repository / "docs").rglob("*.md"))]


def _place(file: PurePosixPath) -> PurePosixPath:
    """Where in the site a file of the repository is."""
    if file == PurePosixPath("README.md"):
        return FIRST_PAGE
    if file == MERMAID:
        return PurePosixPath("assets") / file.name
    return file.relative_to("docs") if file.parts[0] == "docs" else BESIDE / file


def _relinked(text: str, page: PurePosixPath, repository: Path, beside: set[PurePosixPath]) -> str:
    def replaced(found: re.Match[str]) -> str:
        return _in_the_site(found["path"], page, repository, beside)

    return outside_of_fences(text, lambda part: _LINK.sub(replaced, part))


def outside_of_fences(text: str, change: Callable[[str], str]) -> str:
    """*text* with *change* made to everything but its fenced blocks."""
    done, parts = 0, []
    for fence in FENCE.finditer(text):
        parts += [change(text[done : fence.start()]), fence[0]]
        done = fence.end()
    return "".join([*parts, change(text[done:])])


def _in_the_site(link: str, page: PurePosixPath, repository: Path, beside: set[PurePosixPath]) -> str:
    if _ELSEWHERE.match(link):
        return link
    file = PurePosixPath(os.path.normpath(page.parent / link))
    if ".." in file.parts or not (repository / file).is_file():
        return link
    if file.parts[0] != "docs" and file.name != "README.md":
        beside.add(file)
    return os.path.relpath(_place(file), _place(page).parent)
