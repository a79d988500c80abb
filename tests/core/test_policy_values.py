from collections.abc import Iterable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.policy_values import matches, matches_region, overlap

WORDS = ["".join(letters) for length in range(8) for letters in product("ab", repeat=length)]
patterns = st.text("ab*?", max_size=4)


def both(first: str, second: str) -> Iterable[str]:
    return (word for word in WORDS if matches([first], word) and matches([second], word))


@pytest.mark.parametrize(
    ("pattern", "fits", "fails"),
    [
        ("*", ["", "a", "a-b_c"], []),
        ("a*", ["a", "Ab"], ["", "ba"]),
        ("*-prod", ["x-prod", "-PROD"], ["prod", "x-prods"]),
        ("r?d", ["red", "RAD"], ["rd", "reed"]),
        ("a.c", ["a.c"], ["abc"]),
        ("a**b", ["ab", "axxb"], ["a"]),
    ],
)
def test_a_pattern_knows_stars_and_question_marks_and_no_case(pattern: str, fits: list[str], fails: list[str]) -> None:
    assert [name for name in fits if not matches([pattern], name)] == []
    assert [name for name in fails if matches([pattern], name)] == []


def test_no_pattern_fits_nothing() -> None:
    assert not matches([], "a")
    assert not overlap([], ["*"])


@given(patterns, patterns)
def test_two_patterns_overlap_exactly_when_a_word_fits_both(first: str, second: str) -> None:
    # Words of 7 letters suffice: two patterns of 4 symbols that meet do so in a word no longer than both together.
    assert overlap([first], [second]) == any(True for _ in both(first, second)) == overlap([second], [first])


@given(patterns)
def test_a_pattern_overlaps_itself(pattern: str) -> None:
    assert overlap([pattern], [pattern])


def test_a_hostile_pattern_is_matched_quickly() -> None:
    assert not matches(["*a" * 12 + "b"], "a" * 32)


def test_a_region_is_the_same_in_both_of_its_spellings() -> None:
    assert matches_region(["West Europe"], ["westeurope"])
    assert matches_region(["west*"], ["North Europe", "West US 2"])
    assert not matches_region(["west*"], ["northeurope"])
