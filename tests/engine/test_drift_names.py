"""An event about names ends what a working chain of passes remembers of them, even if its pass is planned already."""

import json
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.arm import ResourceId
from shared.core.report import Reason, Waiting
from shared.core.requests import RequestReason, WorkMessage
from shared.core.traces import correlation_of
from shared.core.verification import Verification
from shared.engine.drift import DriftIntake
from shared.engine.records import LedgerRow
from shared.engine.work import Work
from tests.core.worlds import MANAGED, group_id, zone_id
from tests.engine.desk import ALPHA, MINUTE, SECOND, a_request, a_retrier, a_row
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time

RECORD = zone_id("privatelink.blob.core.windows.net").child("A", "st1")
ENDPOINT = group_id("rg-hub").resource("Microsoft.Network/privateEndpoints", "pe")
ACCOUNT = MANAGED.resource("Microsoft.Storage/storageAccounts", "st")


def closing(clock: LoopClock) -> LedgerRow:
    """A registry that was just closed and whose next pass is near."""
    until = clock.now() + 20 * SECOND
    outcome = Waiting(until=until, reasons=(Reason(name="Propagation", sentence="Wait."),))
    verify = Verification(until=clock.now() + 15 * MINUTE, relied=())
    return a_row(sequence=3, outcome=outcome, verify=verify)


async def told(part: ResourceId) -> tuple[LedgerRow, LedgerRow, int]:
    clock, ledger = LoopClock(), MemoryLedger()
    queue = MemoryWorkQueue(clock)
    before = (await ledger.write(closing(clock), None)).row
    message = await DriftIntake(ledger, queue, clock).accept(a_request(reason=RequestReason.RELATED), part)
    entry = await ledger.read(ALPHA)
    assert entry is not None
    assert message is None  # the pass that is planned sees it
    return before, entry.row, len(queue)


@pytest.mark.parametrize("part", [RECORD, ENDPOINT], ids=["record", "endpoint"])
async def test_a_change_of_names_is_noted_for_the_pass_that_is_planned(part: ResourceId) -> None:
    before, after, messages = await told(part)

    assert after == replace(before, renamed=after.renamed)
    assert after.renamed is not None
    assert messages == 0


async def test_a_change_of_storage_says_nothing_of_names() -> None:
    before, after, messages = await told(ACCOUNT)

    assert (after, messages) == (before, 0)


async def test_a_running_pass_keeps_what_an_event_noted_meanwhile() -> None:
    clock, ledger = LoopClock(), MemoryLedger()
    entry = await ledger.write(closing(clock), None)
    message = WorkMessage(registry=ALPHA, generation=entry.row.generation, attempt=4)
    work = Work(ledger, entry, message, a_retrier(clock), clock.now())
    renamed = clock.now() + timedelta(seconds=1)
    await ledger.write(replace(entry.row, renamed=renamed), entry.etag)

    await work.claim(clock.now())

    assert work.row.renamed == renamed


async def test_what_an_event_of_a_part_asks_for_is_a_request_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    clock = LoopClock()
    with caplog.at_level(logging.INFO, "registry_isolation"):
        message = await DriftIntake(MemoryLedger(), MemoryWorkQueue(clock), clock).accept(
            a_request(reason=RequestReason.RELATED), ACCOUNT
        )

    assert message is not None
    (line,) = caplog.messages
    fields = json.loads(line.removeprefix("request "))
    assert (fields["reason"], fields["registry"], fields["generation"]) == ("related", ALPHA.text, 1)
    assert fields["correlation"] == correlation_of(message.trace) != ""
