"""
What an event that concerns nobody costs: a subscription's events are nearly all of that kind.

The real reception takes them, on a ledger and a queue that are looked at afterwards. Its reference is reading the same
JSON text, which no receiver can do without; both are timed in turn. A last event about a registry proves that the
reception was awake.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from statistics import median

from bench.budgets import IRRELEVANT_MILLISECONDS, Budget
from bench.rows import ReferenceFailed, Section, bounded, exactly
from local.memory import MemoryLedger, MemoryWorkQueue
from local.virtual_time import LoopClock
from shared.core.arm import ResourceId
from shared.core.events import RESOURCE_WRITE
from shared.engine.intake import Intake
from shared.engine.ports import LedgerEntry
from shared.engine.reception import Reception
from shared.engine.records import HistoryEntry, LedgerRow

SUBSCRIPTION = "00000000-0000-4000-8000-000000000002"
_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers"
_REGISTRY = f"{_GROUP}/Microsoft.MachineLearningServices/registries/contoso-models"
APP = "00000000-0000-4000-8000-0000000000aa"
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_BATCH = 50


def irrelevant_events(rounds: int) -> Section:
    """
    The rows, from *rounds* of events.

    Raises:
        ReferenceFailed: The reception did not even take the event that concerns it.
    """
    timed, reading, written = asyncio.run(_story(rounds))
    return Section(
        title="Events that concern nobody",
        rows=(
            bounded(
                "irrelevant event, medians in turn",
                ours=1000 * timed,
                most=IRRELEVANT_MILLISECONDS,
                unit="ms",
                reference=f"{1000 * reading:.3g} ms to read its JSON",
                about=Budget.IRRELEVANT,
            ),
            exactly("  written for it", ours=written, needed=0, about=Budget.IRRELEVANT),
        ),
    )


async def _story(rounds: int) -> tuple[float, float, int]:
    """Seconds for an event, seconds for reading it, and what was written."""
    clock, ledger = LoopClock(), _CountingLedger()
    queue = MemoryWorkQueue(clock)
    reception = Reception(
        intake=Intake(ledger, queue, clock),
        ledger=ledger,
        clock=clock,
        own_principal=APP,
        subscriptions=frozenset({SUBSCRIPTION}),
    )
    texts = [json.dumps(event) for event in irrelevant()]
    ours, reading = [], []
    for _ in range(rounds):
        begun = time.perf_counter()
        for number in range(_BATCH):
            await reception.receive(json.loads(texts[number % len(texts)]))
        between = time.perf_counter()
        for number in range(_BATCH):
            json.loads(texts[number % len(texts)])
        ours.append((between - begun) / _BATCH)
        reading.append((time.perf_counter() - between) / _BATCH)
    written = ledger.written + len(queue)
    await reception.receive(event_of("Microsoft.MachineLearningServices/registries/contoso-models"))
    if await ledger.read(ResourceId.parse(_REGISTRY)) is None or len(queue) != written + 1:
        raise ReferenceFailed("the reception let an event about a registry pass")
    return median(ours), median(reading), written


class _CountingLedger(MemoryLedger):
    """Counts what is written."""

    written = 0

    async def write(self, row: LedgerRow, etag: str | None) -> LedgerEntry:
        self.written += 1
        return await super().write(row, etag)

    async def append(self, entries: Sequence[HistoryEntry]) -> None:
        self.written += 1
        await super().append(entries)


def irrelevant() -> tuple[Mapping[str, object], ...]:
    """Another service's write, the app's own write, a failed write, and an action."""
    return (
        event_of("Microsoft.Compute/virtualMachines/vm-1"),
        event_of("Microsoft.Network/privateEndpoints/pe-1", caller=APP),
        event_of("Microsoft.Network/privateEndpoints/pe-1", kind="Microsoft.Resources.ResourceWriteFailure"),
        event_of("Microsoft.Storage/storageAccounts/st1", kind="Microsoft.Resources.ResourceActionSuccess"),
    )


def event_of(resource: str, *, kind: str = RESOURCE_WRITE, caller: str = "") -> Mapping[str, object]:
    """An event as a subscription's system topic delivers it."""
    action = resource.rpartition("/")[0] + "/write"
    return {
        "id": "f0e1d2c3-0000-4000-8000-000000000001",
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": f"{_GROUP}/{resource}",
        "eventType": kind,
        "eventTime": "2026-01-05T00:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {
            "authorization": {"scope": f"{_GROUP}/{resource}", "action": action, "evidence": {"role": "Contributor"}},
            "claims": {_OBJECT_ID: caller or "00000000-0000-4000-8000-000000000009", "appid": "bench"},
            "correlationId": "f0e1d2c3-0000-4000-8000-000000000002",
            "httpRequest": {"method": "PUT", "url": f"https://management.azure.com{_GROUP}/{resource}"},
            "operationName": action,
            "resourceProvider": resource.partition("/")[0],
            "resourceUri": f"{_GROUP}/{resource}",
            "status": "Succeeded",
            "subscriptionId": SUBSCRIPTION,
            "tenantId": "00000000-0000-4000-8000-000000000001",
        },
    }
