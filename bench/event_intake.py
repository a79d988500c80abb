"""
Events that one process takes in a second, when nineteen of twenty concern nobody.

Each goes the whole way of the door in the process: what the Functions worker does with the text, the handler's translation,
the reception with its ledger and queue, which are in memory, so that figures are the app's own and not a storage account's.
Every twentieth event is about another registry, and the queue must hold each of these afterwards. The reference is the
worker's reading of the same texts, which every Python app pays; both are timed in turn.
"""

import asyncio
import json
import time
from statistics import median

from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum

from bench.irrelevant_events import APP, SUBSCRIPTION, event_of, irrelevant
from bench.rows import ReferenceFailed, Section, told
from handlers.events import as_document
from local.memory import MemoryLedger, MemoryWorkQueue
from local.virtual_time import LoopClock
from shared.engine.intake import Intake
from shared.engine.reception import Reception

_BATCH = 100
_RELEVANT = 20
"""One event in so many is about a registry."""


def event_intake(rounds: int) -> Section:
    """
    Give the rows, from *rounds* of events.

    Raises:
        ReferenceFailed: A registry's event was not taken, or another one was.
    """
    ours, reading = asyncio.run(_story(rounds))
    return Section(
        title="Events taken in, 95 % of them irrelevant",
        rows=(
            told(
                "events per second of one processor, medians in turn",
                f"{1 / ours:,.0f}",
                reference=f"{1 / reading:,.0f} to read their text alone",
                note="From the worker's text to ledger and queue, which are in memory: the storage account's time is not in it.",
            ),
        ),
    )


async def _story(rounds: int) -> tuple[float, float]:
    """Seconds for an event, and for reading it."""
    clock = LoopClock()
    queue, ledger = MemoryWorkQueue(clock), MemoryLedger()
    reception = Reception(
        intake=Intake(ledger, queue, clock),
        ledger=ledger,
        clock=clock,
        own_principal=APP,
        subscriptions=frozenset({SUBSCRIPTION}),
    )
    ours, reading = [], []
    for number in range(rounds):
        batch = [Datum(text, "json") for text in _texts(number)]
        begun = time.perf_counter()
        for text in batch:
            await reception.receive(as_document(EventGridEventInConverter.decode(text, trigger_metadata=None)))
        between = time.perf_counter()
        for text in batch:
            EventGridEventInConverter.decode(text, trigger_metadata=None)
        ours.append((between - begun) / _BATCH)
        reading.append((time.perf_counter() - between) / _BATCH)
    if len(queue) != rounds * _BATCH // _RELEVANT:
        raise ReferenceFailed(f"{len(queue)} of {rounds * _BATCH // _RELEVANT} registries' events were taken")
    return median(ours), median(reading)


def _texts(number: int) -> list[str]:
    """One round's events: each registry is a new one."""
    others = irrelevant()
    events = [
        event_of(f"Microsoft.MachineLearningServices/registries/models-{number}-{at}")
        if at % _RELEVANT == 0
        else others[at % len(others)]
        for at in range(_BATCH)
    ]
    return [json.dumps(event) for event in events]
