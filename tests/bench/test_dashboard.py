"""The rows over which the dashboard is measured are as a large tenant has them."""

from collections import Counter
from datetime import UTC, datetime

from bench.dashboard import rows_of
from shared.cloud.ledger_entities import from_summary_entity, to_row_entity

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_most_are_isolated_and_each_line_of_a_list_has_something_to_say() -> None:
    rows = rows_of(1000, "11111111-2222-4333-8444-555555555555", NOW)

    shown = [from_summary_entity(to_row_entity(row)) for row in rows]

    phases = Counter(each.phase for each in shown)
    assert len({each.registry for each in shown}) == 1000
    assert phases["converged"] > 900
    assert min(phases["blocked"], phases["waiting"]) > 5
    assert all(each.findings for each in shown)
    assert all(each.sentence and each.reason for each in shown if each.phase == "blocked")
    assert any(each.drift for each in shown)
