from hypothesis import given
from hypothesis import strategies as st

from tests.order import arranged


def test_a_file_that_waits_begins_early_and_beside_two_that_compute() -> None:
    waits = {"a": 0, "demo": 9, "b": 0, "c": 0, "crash": 1, "d": 0, "e": 0}

    assert arranged(waits) == ["crash", "a", "b", "demo", "c", "d", "e"]


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 3), max_size=12))
def test_every_file_begins_once(waits: dict[str, int]) -> None:
    assert sorted(arranged(waits)) == sorted(waits)
