"""
What a worker does with a pass that raises: note why, and put off what may pass by itself.

The Functions host counts deliveries, not errors: a table service that is down for a minute would move every registry's
message to the poison queue. So a message whose error passes is sent anew, later each time, and only bugs and lasting
errors use up the host's deliveries. Noting is best-effort, because what cannot be written to is often why it failed.
"""

import logging
import random
from dataclasses import replace
from datetime import timedelta

from shared.core.errors import ChangedUnderneath, RegistryIsolationError, Temporary
from shared.core.mishaps import Mishap, describe
from shared.core.requests import WorkMessage
from shared.engine.logs import tell
from shared.engine.ports import Clock, Ledger, WorkQueue
from shared.engine.records import LedgerRow

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=10)
_TRIES = 4


class Mishaps:
    """Notes errors of passes and puts messages off; one per process."""

    def __init__(self, ledger: Ledger, queue: WorkQueue, clock: Clock, rng: random.Random | None = None) -> None:
        self._ledger = ledger
        self._queue = queue
        self._clock = clock
        self._rng = rng or random.Random()

    async def note(self, message: WorkMessage, error: Exception) -> Mishap:
        """Remember *error* in the registry's row as far as that is possible; never raises an error of the tree."""
        name, sentence, fate = describe(error)
        now = self._clock.now()
        mishap = Mishap(
            at=now,
            since=now,
            name=name,
            sentence=sentence,
            fate=fate,
            generation=message.generation,
            attempt=message.attempt,
        )
        tell(
            "mishap",
            level=logging.WARNING if fate.passes else logging.ERROR,
            registry=message.registry.text,
            generation=message.generation,
            attempt=message.attempt,
            error=name,
            sentence=sentence,
            fate=fate.value,
        )
        try:
            return await self._write(message, mishap)
        except RegistryIsolationError as unwritten:
            tell("mishap", level=logging.DEBUG, registry=message.registry.text, error=unwritten.name, kept=False)
            return mishap

    async def put_off(self, message: WorkMessage, mishap: Mishap, error: Exception) -> None:
        """
        Send *message* anew, so that this delivery can end well.

        Raises:
            RegistryIsolationError: It could not be sent; the host has to deliver this one again.
        """
        await self._queue.send(message, self._delay(mishap, error))

    def _delay(self, mishap: Mishap, error: Exception) -> timedelta:
        doublings = min(mishap.deliveries - 1, 10)
        grown = min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)
        asked = error.retry_after if isinstance(error, Temporary) else None
        # Jittered down by up to a third: the messages of a thousand registries fail together and must not come together.
        return max(asked or timedelta(), grown * self._rng.uniform(2 / 3, 1))

    async def _write(self, message: WorkMessage, mishap: Mishap) -> Mishap:
        for _ in range(_TRIES):
            entry = await self._ledger.read(message.registry)
            if entry is None or not speaks_for(message, entry.row):
                return mishap
            current = _continued(mishap, entry.row.last_error)
            try:
                await self._ledger.write(replace(entry.row, last_error=current), entry.etag)
            except ChangedUnderneath:
                continue
            return current
        return mishap


def speaks_for(message: WorkMessage, row: LedgerRow) -> bool:
    """The row waits for *message*: no newer request and no later pass does its work."""
    return row.generation == message.generation and row.sequence < message.attempt


def mishap_of(message: WorkMessage, row: LedgerRow) -> Mishap | None:
    """What the row remembers of failures of exactly *message*."""
    last = row.last_error
    return (
        last if last is not None and (last.generation, last.attempt) == (message.generation, message.attempt) else None
    )


def _continued(mishap: Mishap, last: Mishap | None) -> Mishap:
    if last is None or (last.generation, last.attempt) != (mishap.generation, mishap.attempt):
        return mishap
    return replace(mishap, since=last.since, deliveries=last.deliveries + 1, replays=last.replays)
