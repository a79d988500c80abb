"""
What the programs write that tests start, read for the search through everything that is emitted.

Every child of `local.processes` writes below one folder of this process, children of children as well (the hosts of a
demo that a test plays), and what they wrote outlives their own folders. A program that has told its keys in its first line,
as hosts do, may tell them nowhere else; that line is an answer to whoever started it, and no log.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SHORTEST = 16
"""Characters of a key; what is shorter might be a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far a file was read: all lines that were whole when it had *size* bytes."""

    size: int = 0
    end: int = 0


@dataclass(slots=True, kw_only=True)
class Outputs:
    """Whatever is written below *folder*, and the keys that programs told there."""

    folder: Path
    keys: set[str] = field(default_factory=set)
    _places: dict[Path, Place] = field(default_factory=dict)

    def fresh(self) -> Iterator[str]:
        """What nobody has read yet; a line that is not whole is read again when it is longer."""
        for file in sorted(self.folder.glob("*/*"), key=lambda file: (file.suffix != ".out", file)):
            text = self._fresh_of(file)
            if text:
                yield text

    def _fresh_of(self, file: Path) -> str:
        place = self._places.get(file, Place())
        size = file.stat().st_size
        if size == place.size:
            return ""
        end = place.end if size > place.size else 0  # a program that was started again begins its output anew
        with file.open("rb") as stream:
            stream.seek(end)
            raw = stream.read()
        self._places[file] = Place(size=size, end=end + raw.rfind(b"\n") + 1)
        text = raw.decode(errors="replace")
        return self._without_answer(text) if file.suffix == ".out" and end == 0 else text

    def _without_answer(self, text: str) -> str:
        line, _, rest = text.partition("\n")
        keys = keys_in(line)
        self.keys |= keys
        return rest if keys else text


def keys_in(line: str) -> frozenset[str]:
    """The keys that a program tells whoever started it; none unless *line* is such an answer."""
    try:
        told = json.loads(line)
    except ValueError:
        return frozenset()
    if not isinstance(told, Mapping):
        return frozenset()
    named: Any = told.get("keys")
    values = [*(named.values() if isinstance(named, Mapping) else ()), told.get("identity_header")]
    return frozenset(value for value in values if isinstance(value, str) and len(value) >= SHORTEST)
