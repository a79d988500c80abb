"""Which cases a campaign plays: the grid, its order, and one line of text for each."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.campaign.cases import Case, Injection, Story
from local.campaign.draw import draw
from local.campaign.grid import Path, cells, count, places, table
from local.campaign.kinds import AMOUNTS, EVENTS, Kind
from local.campaign.weather import AppCall

INJECTIONS = st.builds(Injection, kind=st.sampled_from(Kind), at=st.integers(0, 999), amount=st.integers(1, 999))
CASES = st.builds(
    Case,
    story=st.sampled_from(Story),
    seed=st.integers(0, 10**6),
    injections=st.lists(INJECTIONS, max_size=3).map(tuple),
)
GRAPH = "/providers/Microsoft.ResourceGraph/resources"


def a_path(_case: Case) -> Path:
    calls = (
        AppCall(method="GET", path="/x", new=True, lags=True),
        AppCall(method="PUT", path="/x", writes=True, long=True, places=True),
        AppCall(method="GET", path="/x", stale=True),
        AppCall(method="POST", path=GRAPH),
    )
    return Path(calls=calls, store_calls=("read row", "write row"))


@given(CASES)
def test_a_case_is_one_line_of_text(case: Case) -> None:
    assert Case.parse(str(case)) == case


@pytest.mark.parametrize("line", ["", "create", "wander:1:", "create:x:", "create:1:storm@1x1", "create:1:lost@1"])
def test_a_line_that_is_no_case_is_refused_with_what_one_looks_like(line: str) -> None:
    with pytest.raises(ValueError, match=r"is not a (case|fault): it"):
        Case.parse(line)


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (Kind.RESET, [1, 2, 3, 4]),
        (Kind.FAILED, [2]),
        (Kind.REFUSED, [2]),
        (Kind.FULL, [2]),
        (Kind.CUT, [1, 2, 3, 4]),
        (Kind.KILLED, [1, 2, 3, 4]),
        (Kind.STALE, [3]),
        (Kind.MISSING, [1]),
        (Kind.LAGGING, [1]),
        (Kind.NONSENSE, [1, 3]),
        (Kind.GRAPH_FROZEN, [4]),
        (Kind.STORE_LOST, [1, 2]),
        (Kind.EVENT_TWICE, [0]),
    ],
)
def test_faults_fall_on_calls_at_which_they_can_happen(kind: Kind, numbers: list[int]) -> None:
    assert places(kind, a_path(Case())) == numbers


def test_the_grid_has_every_kind_at_every_call_where_it_can_happen_in_every_story() -> None:
    found = list(cells(a_path))
    numbers = count(iter(found))

    assert len(set(found)) == len(found)
    for story in Story:
        for kind in set(Kind) - EVENTS:
            assert numbers[story, kind] == len(places(kind, a_path(Case())))
        for kind in EVENTS:
            assert numbers[story, kind] == len(AMOUNTS[kind])
    assert all(one.amount in AMOUNTS[one.kind] for case in found for one in case.injections)
    assert f"{len(found)} cells" in table(numbers)


def test_a_campaign_plays_the_whole_grid_once_and_a_pair_every_third_time() -> None:
    grid = set(cells(a_path))
    drawn = list(islice(draw(7, a_path), len(grid) * 3 // 2))
    singles = [case for case in drawn if len(case.injections) == 1]

    assert len(singles) == len(grid)
    assert set(singles) == grid
    assert all(len(case.injections) == 2 for case in drawn[2::3])


def test_after_the_grid_there_are_pairs_only() -> None:
    size = len(list(cells(a_path))) * 3 // 2

    assert all(len(case.injections) == 2 for case in islice(draw(7, a_path), size, size + 30))


def test_equal_seeds_draw_equal_cases_and_others_draw_others() -> None:
    first, again, other = (list(islice(draw(seed, a_path), 30)) for seed in (1, 1, 2))

    assert first == again != other


def test_one_kind_alone_is_drawn_on_demand() -> None:
    drawn = list(islice(draw(5, a_path, Kind.LOST), 90))

    assert all(case.injections[0].kind is Kind.LOST for case in drawn)
