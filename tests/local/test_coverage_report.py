"""What each room owes is held room by room, and nothing is left out of the count in silence."""

from typing import IO

from local.coverage_report import ESCAPE, MOST_ESCAPES, ROOMS, Room, escapes, product_files, table


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
