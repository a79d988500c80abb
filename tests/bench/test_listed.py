"""Every row that the bench promises is looked for, in a run and on the page of measurements."""

from bench.budgets import Budget
from bench.listed import LISTED, differences

EVERYTHING = [(title, name) for title, names in LISTED.items() for name in names]


def test_a_run_with_every_row_differs_in_nothing() -> None:
    assert differences(EVERYTHING) == []


def test_a_missing_row_is_told() -> None:
    rows = [each for each in EVERYTHING if each[1] != "second reconcile, reads"]

    assert differences(rows) == [
        "Requests to Azure Resource Manager, creation to isolated: second reconcile, reads was not measured."
    ]


def test_one_of_several_equal_rows_is_missed_as_well() -> None:
    equal = ("Several host processes on one queue, real time", "  passes of each host")
    rows = list(EVERYTHING)
    rows.remove(equal)

    assert differences(rows) == [f"{equal[0]}: passes of each host was not measured."]


def test_a_row_that_nobody_promised_is_told() -> None:
    assert differences([*EVERYTHING, ("Cost", "something new")]) == ["Cost: something new is not on the bench's list."]


def test_every_budget_is_on_the_list() -> None:
    assert set(LISTED["The budgets"]) == {budget.value for budget in Budget}
