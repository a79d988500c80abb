"""What every ledger promises of its lists, in memory and on Azure Tables."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.core.arm import ResourceId
from shared.core.drifts import Drift
from shared.core.errors import MalformedCursor
from shared.core.report import BlockedOutcome, Converged, Reason
from shared.engine.ports import Ledger
from shared.engine.records import LedgerSummary
from tests.contract.state import a_full_row, a_registry, a_row, an_entry
from tests.virtual_time import EPOCH


def _registries(count: int) -> list[ResourceId]:
    """Registries of one subscription that no other test uses."""
    subscription = str(uuid4())
    return [
        ResourceId.parse(
            f"/subscriptions/{subscription}/resourceGroups/ml/providers/"
            f"Microsoft.MachineLearningServices/registries/models-{number}"
        )
        for number in range(count)
    ]


async def _all(ledger: Ledger, subscription: str, **options: object) -> list[LedgerSummary]:
    found, after = [], ""
    while True:
        page = await ledger.list_rows(limit=2, after=after, **options)  # type: ignore[arg-type]
        assert len(page.rows) <= 2
        found += [row for row in page.rows if row.registry.subscription == subscription]
        after = page.after
        if not after:
            return found


async def test_a_list_shows_every_row_once_however_small_its_pages(ledger: Ledger) -> None:
    registries = _registries(5)
    for registry in registries:
        await ledger.write(a_row(registry), None)

    listed = await _all(ledger, registries[0].subscription)

    assert sorted(row.registry.text for row in listed) == sorted(registry.text for registry in registries)


async def test_a_list_of_one_phase_shows_only_that(ledger: Ledger) -> None:
    blocked, converged, fresh = _registries(3)
    reason = Reason(name="Locked", sentence="A lock.")
    await ledger.write(replace(a_row(blocked), outcome=BlockedOutcome(reasons=(reason,))), None)
    await ledger.write(replace(a_row(converged), outcome=Converged()), None)
    await ledger.write(a_row(fresh), None)

    listed = {phase: await _all(ledger, fresh.subscription, phase=phase) for phase in ("blocked", "requested")}

    assert [row.registry for row in listed["blocked"]] == [blocked]
    assert [row.registry for row in listed["requested"]] == [fresh]


async def test_a_summary_says_what_the_row_says(ledger: Ledger) -> None:
    drift = Drift(found=EPOCH, repaired=EPOCH + timedelta(minutes=2), number=2, changes=("close it",))
    row = replace(a_full_row(a_registry()), verified=EPOCH + timedelta(minutes=3), drift=drift)
    assert row.report is not None
    told = Reason(name="Busy", sentence="Wait for \u2603. " + "x" * 1000)
    await ledger.write(replace(row, report=replace(row.report, reasons=(told,))), None)

    found = await ledger.summaries([a_registry(), row.registry])

    assert list(found) == [row.registry]
    summary = found[row.registry]
    assert summary.sentence.startswith("Wait for \u2603. xxx")
    assert len(summary.sentence) <= 300
    assert replace(summary, sentence="") == LedgerSummary(
        registry=row.registry,
        generation=7,
        phase="waiting",
        requested=EPOCH + timedelta(hours=1),
        at=EPOCH,
        due=EPOCH + timedelta(seconds=5),
        verified=EPOCH + timedelta(minutes=3),
        outbox=True,
        reason="Busy",
        findings=tuple(finding.code for finding in row.report.findings),
        drift=replace(drift, changes=()),
    )


async def test_a_summary_of_a_fresh_row_has_no_moments(ledger: Ledger) -> None:
    registry = a_registry()
    await ledger.write(a_row(registry), None)

    summary = (await ledger.summaries([registry]))[registry]

    assert (summary.phase, summary.at, summary.due, summary.verified) == ("requested", None, None, None)


async def test_pages_of_a_history_together_are_the_history(ledger: Ledger) -> None:
    registry = a_registry()
    for number in range(5):
        await ledger.append([an_entry(registry, f"{number}", after=timedelta(seconds=number))])

    subjects, after = [], ""
    while True:
        page = await ledger.history_page(registry, 2, after)
        subjects += [entry.subject for entry in page.entries]
        after = page.after
        if not after:
            break

    assert subjects == ["4", "3", "2", "1", "0"]


async def test_a_page_that_holds_everything_has_no_next_one(ledger: Ledger) -> None:
    registry = a_registry()
    await ledger.append([an_entry(registry, "only")])

    page = await ledger.history_page(registry, 1)

    assert [entry.subject for entry in page.entries] == ["only"]
    assert page.after == ""


@pytest.mark.parametrize("cursor", ["x", "' or 1 eq 1 or '", "a/b", "0" * 900, "\n", "abc/" + "0" * 63])
async def test_a_cursor_that_no_page_gave_is_refused(ledger: Ledger, cursor: str) -> None:
    with pytest.raises(MalformedCursor):
        await ledger.list_rows(after=cursor)
    with pytest.raises(MalformedCursor):
        await ledger.history_page(a_registry(), after=cursor)


async def test_a_phase_is_data_not_part_of_the_query(ledger: Ledger) -> None:
    await ledger.write(replace(a_row(a_registry()), outcome=Converged()), None)

    page = await ledger.list_rows(phase="x' or phase ne 'x")

    assert page.rows == ()
