"""A full run measures what the budgets speak of, and a small one has every section of a full one."""

import re

import pytest

from bench.__main__ import _parser
from bench.budgets import Budget
from bench.listed import LISTED, listed
from bench.sizes import CROWD_OF_THE_BUDGET, FULL, QUICK, RUSH_OF_THE_BUDGET, SMALL, Sizes


def without_sizes(title: str) -> str:
    return re.sub(r"[\d,]+", "N", title)


def test_a_full_run_is_as_large_as_the_budgets_say() -> None:
    assert FULL.apart is not None
    assert FULL.apart.rush == RUSH_OF_THE_BUDGET
    assert max(FULL.apart.crowds) == CROWD_OF_THE_BUDGET
    assert f"{RUSH_OF_THE_BUDGET:,} registries" in Budget.THROTTLED
    assert f"of {CROWD_OF_THE_BUDGET:,}" in Budget.SWEEP


def test_a_small_run_has_the_sections_of_a_full_one_and_no_other() -> None:
    assert [without_sizes(title) for title in listed(SMALL)] == [without_sizes(title) for title in LISTED]


def test_a_small_run_stands_for_no_budget_that_speaks_of_many() -> None:
    assert SMALL.apart is not None
    assert max(SMALL.rush, SMALL.apart.rush) < RUSH_OF_THE_BUDGET
    assert max(SMALL.apart.crowds) < CROWD_OF_THE_BUDGET


@pytest.mark.parametrize("sizes", [FULL, QUICK, SMALL])
def test_no_section_of_a_run_is_hidden_by_another_one_of_the_same_title(sizes: Sizes) -> None:
    assert sizes.apart is None or sizes.rush != sizes.apart.rush
    assert all(rows for rows in listed(sizes).values())


def test_a_quick_run_promises_less_than_a_full_one() -> None:
    left_out = {without_sizes(title) for title in LISTED} - {without_sizes(title) for title in listed(QUICK)}

    words = ("Azure CLI", "Sweeps", "fresh process", "host processes", "storm", "dashboard")
    assert [sum(word in title for title in left_out) for word in words] == [1] * len(words) == [1] * len(left_out)


@pytest.mark.parametrize(
    ("arguments", "sizes"), [([], FULL), (["--quick"], QUICK), (["--small"], SMALL), (["--output", "x.md"], FULL)]
)
def test_a_run_is_full_unless_less_is_asked_for(arguments: list[str], sizes: Sizes) -> None:
    assert _parser().parse_args(arguments).sizes is sizes


def test_a_run_is_quick_or_small_and_not_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser().parse_args(["--quick", "--small"])

    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
