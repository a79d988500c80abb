"""A verdict comes from a figure, and every budget has a row."""

import pytest

from bench.budgets import Budget
from bench.rows import Section, Verdict, bounded, by_budget, compared, exactly, told


@pytest.mark.parametrize(("ours", "verdict"), [(114.0, Verdict.MET), (115.0, Verdict.MET), (116.0, Verdict.MISSED)])
def test_a_ratio_is_judged_by_its_budget(ours: float, verdict: Verdict) -> None:
    row = compared("time", ours=ours, reference=100.0, most=1.15)

    assert row.verdict is verdict
    assert (row.ratio, row.budget) == (f"{ours / 100:.3g}", "ratio <= 1.15")


def test_a_comparison_without_a_budget_judges_nothing() -> None:
    row = compared("time", ours=2.0, reference=1.0)

    assert (row.ratio, row.budget, row.verdict) == ("2", "", Verdict.INFORMATION)


@pytest.mark.parametrize(("ours", "verdict"), [(50, Verdict.MET), (51, Verdict.MISSED)])
def test_a_figure_is_judged_by_its_budget(ours: int, verdict: Verdict) -> None:
    assert bounded("requests", ours=ours, most=50).verdict is verdict


@pytest.mark.parametrize(("ours", "verdict"), [(12, Verdict.MISSED), (13, Verdict.MET), (14, Verdict.MISSED)])
def test_writes_are_the_necessary_ones_exactly(ours: int, verdict: Verdict) -> None:
    assert exactly("writes", ours=ours, needed=13).verdict is verdict


def test_nothing_needed_and_nothing_done_is_met() -> None:
    assert exactly("writes", ours=0, needed=0).verdict is Verdict.MET


def test_every_budget_has_a_row_and_none_without_a_figure_is_met() -> None:
    measured = Section(title="some", rows=(bounded("r", ours=1, most=2, about=Budget.REQUESTS), told("t", "x")))

    found = by_budget([measured], "not in this run")

    assert [row.about for row in found.rows] == list(Budget)
    assert [row.about for row in found.rows if row.verdict is Verdict.MET] == [Budget.REQUESTS]
    unmeasured = [row for row in found.rows if row.verdict is Verdict.UNMEASURED]
    assert len(unmeasured) == len(Budget) - 1
    assert {(row.ours, row.note) for row in unmeasured} == {("", "not in this run")}


def test_one_figure_beyond_its_budget_is_enough_to_miss_it() -> None:
    rows = (
        compared("one region", ours=106.0, reference=100.0, most=1.15, about=Budget.LATENCY),
        compared("two", ours=130.0, reference=100.0, most=1.15, about=Budget.LATENCY),
        bounded("reads", ours=12, most=12, about=Budget.AGAIN),
    )

    found = {row.about: row for row in by_budget([Section(title="all", rows=rows)], "").rows}

    assert (found[Budget.LATENCY].verdict, found[Budget.LATENCY].ours) == (Verdict.MISSED, "1.06, 1.3")
    assert (found[Budget.AGAIN].verdict, found[Budget.AGAIN].ours) == (Verdict.MET, "12")
