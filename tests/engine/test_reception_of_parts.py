"""An event about a part of a registry asks for a pass, unless it tells of an end that is known."""

import pytest

from local.memory import MemoryWorkQueue
from shared.core.report import Converged, Gone, Outcome
from shared.engine.drift import DriftIntake
from shared.engine.intake import Intake
from shared.engine.reception import Reception
from shared.engine.records import LedgerRow
from tests.core.test_events import DELETE, WRITE, event_grid
from tests.core.worlds import MANAGED
from tests.engine.desk import ALPHA
from tests.engine.test_owners import ACCOUNT, Office

pytestmark = pytest.mark.virtual_time


async def told(kind: str, outcome: Outcome) -> int:
    """How many messages an event about the storage of a registry leads to whose last pass ended with *outcome*."""
    office = Office()
    await office.index.note(ALPHA, [MANAGED])
    now = office.clock.now()
    row = LedgerRow(registry=ALPHA, generation=2, first_seen=now, requested=now, sequence=1, outcome=outcome)
    await office.ledger.write(row, None)
    queue = MemoryWorkQueue(office.clock)
    reception = Reception(
        intake=Intake(office.ledger, queue, office.clock),
        ledger=office.ledger,
        clock=office.clock,
        own_principal=None,
        subscriptions=(),
        owners=office.owners,
        drift=DriftIntake(office.ledger, queue, office.clock),
    )
    await reception.receive(event_grid(kind, ACCOUNT.text))
    return len(queue)


@pytest.mark.parametrize(
    ("kind", "outcome", "messages"),
    [(DELETE, Gone(), 0), (WRITE, Gone(), 1), (DELETE, Converged(), 1), (WRITE, Converged(), 1)],
)
async def test_a_part_that_was_deleted_is_no_news_of_a_registry_that_is_gone(
    kind: str, outcome: Outcome, messages: int
) -> None:
    assert await told(kind, outcome) == messages
