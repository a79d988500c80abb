"""What each room owes is held room by room, and nothing is left out of the count in silence."""

from pathlib import Path
from typing import IO

import pytest
from coverage import CoverageData

from local.coverage_report import ESCAPE, MOST_ESCAPES, ROOMS, ROOT, Room, escapes, main, product_files, table


class Told:
    """A measurement with one number for each room's first pattern."""

    def __init__(self, **percent: float) -> None:
        self.percent = percent

    def report(self, *, include: list[str], file: IO[str]) -> float:
        room = include[0].removesuffix("/**")
        file.write(f"files of {room}\n")
        return self.percent[room]


def a_room(name: str, owes: float) -> Room:
    return Room(name=name, files=(f"{name}/**",), owes=owes)


def test_only_the_room_that_owes_more_than_it_has_is_short() -> None:
    text, short = table(Told(core=99.99, local=95), [a_room("core", 100), a_room("local", 95)])

    assert [room.name for room in short] == ["core"]
    assert "files of core\nSHORT core: 99.99 %, owes 100 %" in text
    assert "ok    local: 95.00 %, owes 95 %" in text


def test_every_product_file_is_in_exactly_one_room() -> None:
    patterns = [pattern for room in ROOMS for pattern in room.files]

    assert sorted({pattern.partition("/")[0] for pattern in patterns}) == [
        "bench",
        "function_app.py",
        "handlers",
        "local",
        "shared",
    ]
    assert len(set(patterns)) == len(patterns)


def test_what_is_left_out_of_the_count_says_why_and_is_a_handful() -> None:
    left_out = escapes(product_files())

    assert len(left_out) <= MOST_ESCAPES
    assert [line for line in left_out if not line.partition(ESCAPE)[2].strip(" -")] == []


def a_measurement(folder: Path, *files: str) -> Path:
    """Kept as coverage keeps it: these files were met, and no line of theirs ran."""
    path = folder / "data"
    data = CoverageData(str(path))
    data.add_arcs({})
    data.touch_files([str(ROOT / file) for file in files])
    data.write()
    data.close()
    return path


def test_the_command_ends_with_1_where_a_room_owes_more_than_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(a_measurement(tmp_path, "local/memory_outcomes.py")) == 1

    said = capsys.readouterr().out
    assert "SHORT local: 0.00 %, owes 95 %" in said
    assert "Nothing was measured here.\nSHORT core and engine: 0.00 %, owes 100 %" in said


def test_the_command_ends_with_0_where_no_room_owes_anything_and_names_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = ("shared/core", "shared/cloud", "handlers", "local", "bench")

    assert main(a_measurement(tmp_path, *(f"{room}/__init__.py" for room in empty))) == 0

    said = capsys.readouterr().out
    assert said.count("ok   ") == len(ROOMS)
    assert f"\n{len(escapes(product_files()))} lines are left out of the count\n" in said
