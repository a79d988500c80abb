"""
Says which lines and branches no test reaches, room by room, and fails under what each room owes: `make coverage`.

What decides and orders (core, engine) owes everything; the rest talks to Azure, to processes and to people, and owes 95 %.
A line is left out of the count only by a comment that says why, and there may be no more than a handful of them.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import IO, Protocol

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".local" / "coverage" / "data"
ESCAPE = "pragma: " + "no cover"
MOST_ESCAPES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Files that owe the same; *owes* is in percent of lines and branches together."""

    name: str
    files: tuple[str, ...]
    owes: float


ROOMS = (
    Room(name="core and engine", files=("shared/core/**", "shared/engine/**"), owes=100),
    Room(name="cloud and settings", files=("shared/cloud/**", "shared/*.py"), owes=95),
    Room(name="handlers", files=("handlers/**", "function_app.py"), owes=95),
    Room(name="local", files=("local/**",), owes=95),
    Room(name="bench", files=("bench/**",), owes=95),
)


class Measured(Protocol):
    """What was measured; `coverage.Coverage` is one."""

    def report(self, *, include: list[str], file: IO[str]) -> float:
        """Write the table of these files to *file* and give their total in percent."""
        ...


def table(measured: Measured, rooms: Iterable[Room]) -> tuple[str, tuple[Room, ...]]:
    """The table of every room, and the rooms that owe more than they have."""
    lines, short = [], []
    for room in rooms:
        files = StringIO()
        percent = measured.report(include=list(room.files), file=files)
        mark = "ok   " if percent >= room.owes else "SHORT"
        lines.append(f"{files.getvalue().rstrip()}\n{mark} {room.name}: {percent:.2f} %, owes {room.owes:g} %\n")
        if percent < room.owes:
            short.append(room)
    return "\n".join(lines), tuple(short)


def escapes(files: Iterable[Path]) -> tuple[str, ...]:
    """Every line that is left out of the count, with what it says."""
    return tuple(
        f"{file.name}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1)
        if ESCAPE in line
    )


def product_files(root: Path = ROOT) -> tuple[Path, ...]:
    """Every Python file that is measured."""
    rooms = ("shared", "handlers", "local", "bench")
    return (root / "function_app.py", *(file for room in rooms for file in sorted((root / room).rglob("*.py"))))


def measured_in(data_file: Path) -> Measured:
    """What *data_file* holds; a room of which nothing was measured has nothing."""
    from coverage import Coverage  # noqa: PLC0415 -- a tool of development; whoever imports this module for its rooms needs none
    from coverage.exceptions import NoDataError  # noqa: PLC0415 -- the same

    data = Coverage(data_file=str(data_file))
    data.load()

    class Data:
        def report(self, *, include: list[str], file: IO[str]) -> float:
            try:
                return data.report(include=include, file=file)
            except NoDataError:
                file.write("Nothing was measured here.\n")
                return 0.0

    return Data()


def main(data_file: Path = DATA) -> int:
    """Report what was measured, and whether it is enough."""
    text, short = table(measured_in(data_file), ROOMS)
    sys.stdout.write(text)
    left_out = escapes(product_files())
    sys.stdout.write(
        f"\n{len(left_out)} lines are left out of the count\n" + "".join(f"  {line}\n" for line in left_out)
    )
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
