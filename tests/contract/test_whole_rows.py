"""What every ledger promises of its lists of whole rows, in memory and on Azure Tables."""

from dataclasses import replace
from uuid import uuid4

import pytest

from local.memory import MemoryLedger
from shared.cloud.ledger import TableLedger
from shared.core.arm import ResourceId
from shared.core.errors import MalformedCursor
from shared.core.report import Converged
from shared.engine.postures import Known, RowSource
from tests.contract.state import a_full_row, a_row

type WholeLedger = MemoryLedger | TableLedger


def _registries(count: int) -> list[ResourceId]:
    """Registries of one subscription that no other test uses."""
    group = f"/subscriptions/{uuid4()}/resourceGroups/ml/providers/Microsoft.MachineLearningServices/registries"
    return [ResourceId.parse(f"{group}/models-{number}") for number in range(count)]


async def _all(source: RowSource, subscription: str, phase: str = "") -> list[Known]:
    found: list[Known] = []
    after = ""
    while True:
        page = await source.list_whole_rows(subscription=subscription, phase=phase, limit=2, after=after)
        assert len(page.known) <= 2
        found += page.known
        after = page.after
        if not after:
            return found


async def test_rows_of_one_subscription_come_whole_and_once(ledger: WholeLedger) -> None:
    registries = _registries(5)
    rows = {registry: replace(a_full_row(registry), generation=at) for at, registry in enumerate(registries)}
    for row in (*rows.values(), a_row(_registries(1)[0])):
        await ledger.write(row, None)

    found = await _all(ledger, registries[0].subscription.upper())

    assert {known.registry: known.row for known in found} == rows
    assert len(found) == 5


async def test_rows_of_one_phase_and_subscription_can_be_asked_for(ledger: WholeLedger) -> None:
    one, other = _registries(2)
    await ledger.write(replace(a_row(one), outcome=Converged()), None)
    await ledger.write(a_row(other), None)

    assert [known.registry for known in await _all(ledger, one.subscription, "converged")] == [one]
    assert [known.phase for known in await _all(ledger, one.subscription, "requested")] == ["requested"]
    assert await _all(ledger, one.subscription, "x' or phase ne 'x") == []


async def test_a_cursor_of_somebody_elses_is_refused_by_whole_lists_too(ledger: WholeLedger) -> None:
    with pytest.raises(MalformedCursor):
        await ledger.list_whole_rows(after="x' or 1 eq 1")
