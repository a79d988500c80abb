"""A sweep's walk through pages, its notes and its messages."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.errors import MalformedMessage
from shared.core.sweeps import MOST_NOTES, Place, SweepMessage, SweepRecord, Walk, added
from tests.core.worlds import NOW, registry_id

ID = "20260105T120000Z-0a1b2c3d"
RECORD = SweepRecord(id=ID, reason="timer", origin="timer", begun=NOW, touched=NOW, due=NOW)


def walked(names: list[str], size: int, start: Place, shift: int = 0) -> list[str]:
    """Names that a walk meets, in order; the pages of its second half begin *shift* later, as when registries came."""
    met: list[str] = []
    walk: Walk | None = Walk.from_place(start)
    for _ in range(len(names) + 5):
        assert walk is not None
        cut = int(walk.cursor or 0) if not walk.wrapped or not walk.cursor else int(walk.cursor) + shift
        page = names[cut : cut + size]
        ids = [registry_id(name) for name in page]
        met += walk.part(page, ids)
        more = str(cut + size - (shift if walk.wrapped else 0)) if cut + size < len(names) else ""
        walk = walk.after(more, ids)
        if walk is None:
            return met
    raise AssertionError("the walk does not end")


@given(st.integers(0, 12), st.integers(1, 5), st.integers(0, 11))
def test_a_walk_meets_everybody_once_and_begins_where_it_is_told(count: int, size: int, at: int) -> None:
    names = [f"r{number:02d}" for number in range(count)]
    start = Place(cursor=str(at // size * size or ""), registry=registry_id(names[at]).text) if at < count else Place()

    met = walked(names, size, start)

    assert met == names[at % (count or 1) if at < count else 0 :] + names[: at if at < count else 0]


@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 11))
def test_a_walk_whose_first_registry_was_deleted_meets_everybody_once(count: int, size: int, at: int) -> None:
    names = [f"r{number:02d}" for number in range(count)]
    start = Place(cursor=str(min(at, count - 1) // size * size or ""), registry=registry_id("deleted").text)

    met = walked(names, size, start)

    assert sorted(met) == names


@given(st.integers(3, 12), st.integers(2, 5), st.integers(0, 11), st.integers(0, 1))
def test_a_walk_ends_where_it_began_even_if_the_pages_moved(count: int, size: int, at: int, shift: int) -> None:
    names = [f"r{number:02d}" for number in range(count)]
    at = min(at, count - 1)
    start = Place(cursor=str(at // size * size or ""), registry=registry_id(names[at]).text)

    met = walked(names, size, start, shift)

    assert met[0] == names[at]
    assert len(met) == len(set(met))


def test_a_page_that_was_not_finished_is_met_again() -> None:
    walk = replace(Walk(cursor="5"), again=True)

    assert walk.after("6", []) == Walk(cursor="6")


def test_notes_are_few_short_and_said_once() -> None:
    record = RECORD
    for number in [*range(MOST_NOTES + 5), 0, 0]:
        record = record.noted(f"{number} " + "x" * 1000)

    assert len(record.notes) == MOST_NOTES
    assert len(set(record.notes)) == MOST_NOTES
    assert max(map(len, record.notes)) <= 300
    assert record.noted("") == record


def test_counts_add_up_by_name() -> None:
    assert added({"new": 1, "tried": 2}, {"new": 3, "gone": 1}) == {"gone": 1, "new": 4, "tried": 2}


def test_a_message_survives_the_queue() -> None:
    message = SweepMessage(sweep=ID, step=3)

    assert SweepMessage.decode(message.encode()) == message
    assert SweepMessage.decode(message.encode().encode()) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        b"\xff",
        "\ud800",
        "[" * 4000,
        "x" * 5000,
        f'{{"version":2,"sweep":"{ID}","step":1}}',
        f'{{"version":1,"sweep":"{ID}","step":0}}',
        f'{{"version":1,"sweep":"{ID}","step":"1"}}',
        f'{{"version":1,"sweep":"{ID}","step":true}}',
        f'{{"version":1,"sweep":"{ID}","step":1,"more":1}}',
        '{"version":1,"sweep":"current","step":1}',
        f'{{"version":1,"sweep":"{ID}\\n","step":1}}',
        '{"version":1,"sweep":"\u0662\u0660\u0662\u0666\u0660\u0661\u0660\u0665T120000Z-0a1b2c3d","step":1}',
    ],
)
def test_a_message_that_this_app_did_not_write_is_refused(text: str | bytes) -> None:
    with pytest.raises(MalformedMessage):
        SweepMessage.decode(text)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_nothing_but_a_refusal_comes_of_odd_messages(text: str | bytes) -> None:
    with pytest.raises(MalformedMessage):
        SweepMessage.decode(text)


def test_ids_compare_without_case_in_a_walk() -> None:
    start = Place(cursor="", registry=registry_id("ALPHA").text.upper())
    ids: list[ResourceId] = [registry_id("aaa"), registry_id("alpha")]

    assert Walk.from_place(start).part(["aaa", "alpha"], ids) == ["alpha"]
