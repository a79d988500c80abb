"""Every command that README.md and docs/ show, and what becomes of it here: it is run, or a closed list says why not."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from local.azurite import REPOSITORY

PAGES = (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHELLS = {"console", "sh", "bash", "shell"}
_PLACEHOLDER = re.compile(r"<[^<>\n]+>")
_INDENTED = re.compile(r"^    (?:make|python|curl|az|azd|\.venv)\b")


class Fate(StrEnum):
    ASKED_OF_THE_APP = "runs against the app under the local host"
    RUN = "runs in a folder of its own"
    NEEDS_AZURE = "needs-azure: a subscription and somebody who is signed in"
    ASKS = "asks-questions: at a terminal; tests/local/test_init.py answers them"
    KEEPS_RUNNING = "keeps-running: until Ctrl-C; tests/local starts it"
    TAKES_LONG = "takes-minutes: has targets and tests of its own"


_FATES: tuple[tuple[str, Fate], ...] = (
    (r"(az|azd|nslookup) ", Fate.NEEDS_AZURE),
    (r"(make|python -m local) (audit|doctor)\b", Fate.NEEDS_AZURE),
    (r"curl .*(\$APP|<APP_URL>|\$ENDPOINT)", Fate.ASKED_OF_THE_APP),
    (r"(\.venv/bin/)?python -m local init --", Fate.RUN),
    (r"(\.venv/bin/)?python -m local init$", Fate.ASKS),
    (r"(make (up|azure)|\.venv/bin/python -m local\.otlp_sink)\b", Fate.KEEPS_RUNNING),
    (
        r"(OTEL_\w+=\S+ )?make (demo|test|check|bench|bench-quick|campaign|crash|fuzz|mutants|coverage)\b",
        Fate.TAKES_LONG,
    ),
    (r"python -m (local\.(campaign|crash|simulator\.likeness)|bench)\b", Fate.TAKES_LONG),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    page: str
    text: str

    @property
    def fate(self) -> Fate | None:
        """The first that fits; None if nobody has thought of such a command."""
        return next((fate for pattern, fate in _FATES if re.match(pattern, self.text, re.DOTALL)), None)


def all_commands() -> list[Command]:
    """In the order of the pages, each text once for each page."""
    found: dict[Command, None] = {}
    for page in PAGES:
        text, name = page.read_text(encoding="utf-8"), str(page.relative_to(REPOSITORY))
        for language, block in _FENCE.findall(text):
            if language in _SHELLS:
                found |= {Command(page=name, text=each): None for each in commands_of(block)}
        for block in _indented(_FENCE.sub("", text)):
            found |= {Command(page=name, text=each): None for each in commands_of(block)}
    return list(found)


def commands_of(block: str) -> Iterator[str]:
    """The commands of a block, prompts and comments gone, lines that go on put together."""
    begun = ""
    for line in block.splitlines():
        begun = f"{begun}\n{line}" if begun else re.sub(r"\s+#\s.*$", "", line.strip().removeprefix("$ "))
        if begun.endswith("\\") or not _is_whole(begun):
            continue
        if begun:
            yield begun
        begun = ""
    assert not begun, f"a command that does not end: {begun}"


def _is_whole(text: str) -> bool:
    try:
        shlex.split(_PLACEHOLDER.sub("x", text))
    except ValueError:
        return False
    return True


def _indented(text: str) -> Iterator[str]:
    for block in re.findall(r"(?:^    .*\n)+", text, re.MULTILINE):
        if _INDENTED.match(block):
            yield block
