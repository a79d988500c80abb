"""Registries created at once: the limits' bound is arithmetic, and nothing is lost on the way."""

from dataclasses import replace

import pytest

from bench.budgets import Budget
from bench.rows import ReferenceFailed, Verdict
from bench.rush import Rush, RushHouse, _create, _rows, bounds, demand_isolated, lower_bound, main, rush, rushing
from local.house import as_id
from local.simulator import scenery
from local.virtual_time import run_virtual


def a_rush(registries: int, *, wait: float = 200.0) -> Rush:
    return Rush(
        registries=registries,
        waits=(wait,) * registries,
        tail=50.0,
        calls=50 * registries,
        refused=0,
        written=7 * registries,
        writes=7 * registries,
        network_writes=6 * registries,
        passes=10 * registries,
        poisoned=0,
        processor_seconds=1.0,
    )


def test_six_thousand_network_writes_wait_for_the_network_provider() -> None:
    found = bounds(a_rush(1000))

    assert found["network writes"] == 1500.0
    assert found["Resource Manager writes"] == 680.0
    assert lower_bound(a_rush(1), a_rush(1000)) == 1550.0


def test_a_few_registries_are_bound_by_what_one_takes_alone() -> None:
    assert lower_bound(a_rush(1), a_rush(3)) == 200.0


def test_some_registries_at_once_are_all_isolated_and_meet_no_limit() -> None:
    section = rushing(3)

    rows = {row.measure.strip(): row for row in section.rows}
    assert rows["registries lost"].ours == "0"
    assert rows["of them answered 429"].ours == "0"
    assert rows["from creation to all isolated"].verdict is Verdict.MET
    assert all(row.about is None for row in section.rows)


def test_registries_that_come_together_make_no_write_twice() -> None:
    many = run_virtual(rush(5))

    assert many.written == many.writes == 5 * 7 + 6


def test_registries_that_were_not_isolated_in_time_are_lost_and_the_budget_is_missed_with_them() -> None:
    many = replace(a_rush(1000), waits=(200.0,) * 998, poisoned=1)

    rows = {row.measure.strip(): row for row in _rows(a_rush(1), many)}

    ended = rows["from creation to all isolated"]
    assert (ended.ours, ended.verdict, ended.about) == ("3600 s", Verdict.MISSED, Budget.THROTTLED)
    assert ended.note.startswith("It had not ended when the run did.")
    lost = rows["registries lost"]
    assert (lost.ours, lost.verdict, lost.about) == ("2", Verdict.MISSED, Budget.THROTTLED)
    assert (rows["messages given up"].ours, rows["messages given up"].verdict) == ("1", Verdict.MISSED)


def test_a_rush_is_held_against_the_tightest_limit_and_answers_to_the_budget_only_when_it_is_large_enough() -> None:
    enough, few = ({row.measure: row for row in _rows(a_rush(1), a_rush(count, wait=1705.0))} for count in (1000, 999))

    row = enough["from creation to all isolated"]
    assert (row.reference, row.ratio, row.verdict) == ("1550 s", "1.1", Verdict.MET)
    assert "network writes would allow the last write after 1500 s; alone, a registry takes 200 s" in row.note
    assert row.about is Budget.THROTTLED
    assert few["from creation to all isolated"].about is None


@pytest.mark.parametrize(
    ("said", "why"), [((), "none of 2 registries was isolated"), ((0,), "things are open after a rush")]
)
def test_a_rush_after_which_registries_are_open_has_no_figures_whatever_the_app_says(
    said: tuple[int, ...], why: str
) -> None:
    async def story() -> None:
        async with RushHouse() as house:
            house.lay_out(2)
            house.install()
            names = list(_create(house, 2))
            scenery.rest(house.azure)
            house.isolated |= {as_id(names[number]): house.now() for number in said}
            demand_isolated(house, names)

    with pytest.raises(ReferenceFailed, match=why):
        run_virtual(story())


def test_the_program_shows_the_rush_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["2"]) == 0

    assert "2 registries at once, under the published limits" in capsys.readouterr().out
