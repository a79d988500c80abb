"""The page of figures is a full run of the bench as it is today: every row of its list, and every budget judged."""

import re
from collections.abc import Iterator

from bench.budgets import Budget
from bench.listed import differences
from bench.rows import Verdict
from bench.table import INSET
from local.azurite import REPOSITORY

PAGE = (REPOSITORY / "docs" / "measured.md").read_text(encoding="utf-8")
WRITE = "run: make bench ARGS='--output docs/measured.md'"


def cells() -> Iterator[tuple[str, list[str]]]:
    """Each row under the title of its section."""
    for section in PAGE.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        for line in text.splitlines():
            if line.startswith("| ") and not line.startswith("| measure |"):
                yield title, [cell.strip() for cell in line.strip("|").split("|")]


def name_of(cell: str) -> str:
    """A row's name without the number of its note, and without the sign that sets it in."""
    return re.sub(r" \(\d+\)$", "", cell).removeprefix(INSET)


def facts() -> dict[str, str]:
    """What the page says of its run."""
    return dict(re.findall(r"^- ([a-z ]+): (.+)$", PAGE, re.MULTILINE))


def test_the_page_has_every_row_of_the_bench_and_no_other() -> None:
    rows = [(title, name_of(row[0])) for title, row in cells()]

    assert differences(rows) == [], WRITE


def test_every_budget_is_judged_on_the_page_by_its_figure() -> None:
    judged = {name_of(row[0]): row for title, row in cells() if title == "The budgets"}

    assert set(judged) == {budget.value for budget in Budget}
    assert {row[-1] for row in judged.values()} <= {Verdict.MET, Verdict.MISSED}
    assert all(row[2] for row in judged.values())


def test_the_page_says_when_where_and_on_what_it_was_measured() -> None:
    found = facts()

    assert {"date", "machine", "load when it began", "versions", "mode", "load when it ended"} <= set(found)
    assert found["mode"].startswith("full")
    assert "Python 3.13" in found["versions"]
