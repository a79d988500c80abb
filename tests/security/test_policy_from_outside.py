"""
A policy file that somebody else wrote: it is refused in bounded time and memory, and nothing in it is run.

The sizes are such that the careless way (multiplying aliases out, comparing all problems with all, trying every
combination of stars) would not end within the suite's patience.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import InvalidPolicy
from shared.core.policy_values import matches
from shared.policy_file import MOST_BYTES, MOST_MERGED, read_policy

LEVELS = 12


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidPolicy) as refused:
        read_policy(text)
    return list(refused.value.problems)


def multiplying(first: str, rest: str) -> str:
    """A dozen lines, each ten times the one before it: `%s` in *rest* is where the ten aliases go."""
    lines = [f"l0: &l0 {first}"]
    lines += [
        f"l{level}: &l{level} " + rest.replace("%s", ",".join([f"*l{level - 1}"] * 10)) for level in range(1, LEVELS)
    ]
    return "\n".join(lines) + "\n"


def test_a_key_made_of_aliases_is_refused_without_writing_it_out() -> None:
    assert problems(multiplying("[x]", "[%s]") + f"? [*l{LEVELS - 1}]\n: 1\n") == [
        f"line {LEVELS + 1}, column 3: found unhashable key"
    ]


def test_merges_that_multiply_are_refused_before_they_are_made() -> None:
    assert problems(multiplying("{k: 1, m: 2}", "{<<: [%s]}")) == [
        f"its merges (<<) copy more than {MOST_MERGED} keys; write the sections out"
    ]


def test_an_honest_merge_works_and_one_with_itself_does_no_harm() -> None:
    scope = "scope: {subscriptions: [11111111-2222-4333-8444-555555555555]}\n"
    off = "{registry: &off {endpoint: false}, storage: {<<: *off}, acr: {<<: [*off]}}"

    policy = read_policy(f"version: 1\nmode: audit\n{scope}targets: {off}\n")

    assert not policy.targets.storage.endpoint
    assert not policy.targets.acr.endpoint
    assert "line 1, column 1: mode: is needed" in problems("&a {version: 1, <<: *a}")


def test_many_problems_are_told_briefly() -> None:
    told = problems("networks: [" + "x," * 20_000 + "]")

    assert len(told) == 201
    assert re.fullmatch(r"and \d+ more", told[-1])


@pytest.mark.parametrize(
    "tag", ["python/object/apply:os.system [id]", "python/name:os.system x", "python/object/new:subprocess.Popen [id]"]
)
def test_a_tag_that_names_code_is_refused(tag: str) -> None:
    assert "could not determine a constructor" in problems(f"version: !!{tag}\n")[0]


SIXTIES = ":".join("1" * 100_000)


@pytest.mark.parametrize(
    "number", [SIXTIES, f"{SIXTIES}.5", "9" * 100_000, "0x" + "f" * 100_000], ids=["60", "60.5", "10", "16"]
)
def test_a_number_without_end_is_refused_before_it_is_counted(number: str) -> None:
    assert problems(f"version: {number}\n") == ["line 1, column 10: found a number without end"]


def test_a_file_of_nothing_but_brackets_is_refused() -> None:
    assert problems("[" * MOST_BYTES) == ["it is nested too deeply"]


def test_a_pattern_of_many_stars_is_matched_without_trying_every_combination() -> None:
    pattern = "*" + "a*" * 30 + "b"

    assert not matches([pattern], "a" * 32)
    assert matches([pattern], "a" * 31 + "b")


@given(pattern=st.text("ab?*", min_size=1, max_size=8), name=st.text("ab", max_size=8))
def test_a_pattern_matches_what_its_plain_reading_matches(pattern: str, name: str) -> None:
    plain = "".join(".*" if sign == "*" else "." if sign == "?" else sign for sign in pattern)

    assert matches([pattern], name) == (re.fullmatch(plain, name) is not None)
