"""
Brings outcome events to the topic: at least once, in order for each registry, however long the topic is away.

A message names a registry, the events are in its ledger row. What the topic took is removed from the row under its ETag,
event by event, so that an event that a pass adds meanwhile stays. If the topic fails, the message is sent again with a
growing delay: failing deliveries must not count towards the poison queue, because nothing is wrong with the message. Deliveries
of one registry wait for one another within a process; two processes may publish an event twice, with the same id.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, MalformedMessage, RegistryIsolationError
from shared.core.outcome_messages import OutcomeMessage
from shared.core.outcomes import OutcomeEvent
from shared.core.traces import correlation_of
from shared.engine.chain import within
from shared.engine.logs import tell
from shared.engine.outcome_ports import OutcomeQueue, OutcomeTopic
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock, Ledger
from shared.engine.records import HistoryEntry, LedgerRow

SHORT_TRIES = 4
"""Of a message that does not last: a lasting one or the next sweep does its work, and they must not pile up."""
_TRIES = 8
_LOCKS = 64
_ROUNDS = 5
_LONGEST_INPUT = 2000


class Deliverer:
    """
    Delivers; one per process.

    Args:
        topic: None where none is configured (any more): messages that are left are then dropped.
    """

    def __init__(
        self, *, ledger: Ledger, topic: OutcomeTopic | None, queue: OutcomeQueue, clock: Clock, pacing: Pacing
    ) -> None:
        self._ledger = ledger
        self._topic = topic
        self._queue = queue
        self._clock = clock
        self._pacing = pacing
        self._locks = tuple(asyncio.Lock() for _ in range(_LOCKS))

    async def deliver(self, body: bytes) -> None:
        """
        Work one message off.

        Raises:
            RegistryIsolationError: The next try could not be enqueued; the message has to be delivered again.
        """
        with within(door="outcomes"):
            try:
                message = OutcomeMessage.decode(body)
            except MalformedMessage as error:
                await self._reject(error, body)
                return
            with within(registry=message.registry.text):
                if self._topic is None:
                    tell("outcome-unheard")
                    return
                await self._deliver(message, self._topic)

    async def _deliver(self, message: OutcomeMessage, topic: OutcomeTopic) -> None:
        with ExitStack() as chain:
            try:
                async with self._locks[hash(message.registry) % _LOCKS]:
                    await self._publish(message.registry, topic, chain)
            except RegistryIsolationError as error:
                await self._later(message, error)

    async def _publish(self, registry: ResourceId, topic: OutcomeTopic, chain: ExitStack) -> None:
        """
        Publish what waits, and what is added in the meantime; a pass that adds more wakes somebody itself.

        Args:
            chain: Takes the name of the chain once the row has told it, for whatever line comes after.
        """
        for _ in range(_ROUNDS):
            entry = await self._ledger.read(registry)
            events = entry.row.outbox if entry else ()
            if entry is None or not events:
                return
            correlation = correlation_of(entry.row.trace)
            chain.enter_context(within(generation=entry.row.generation, correlation=correlation))
            await topic.publish(events)
            for event in events:
                tell("notify", registry=registry.text, type=event.type, id=event.id, sequence=event.number)
            await self._remove(registry, events)
        raise ChangedUnderneath(
            f"Events about {registry.name} come faster than they are delivered.",
            resource_id=registry.text,
            operation="deliver outcome events",
        )

    async def _remove(self, registry: ResourceId, events: Sequence[OutcomeEvent]) -> None:
        """Take exactly *events* out of the row, whoever else writes it."""
        done = {event.id for event in events}
        for _ in range(_TRIES):
            entry = await self._ledger.read(registry)
            if entry is None or not any(event.id in done for event in entry.row.outbox):
                return
            try:
                await self._ledger.write(_without(entry.row, done), entry.etag)
            except ChangedUnderneath:
                continue
            return
        raise ChangedUnderneath(
            f"The ledger row of {registry.name} changes faster than delivered events can be taken out of it.",
            resource_id=registry.text,
            operation="write ledger",
        )

    async def _later(self, message: OutcomeMessage, error: RegistryIsolationError) -> None:
        again = message.again()
        delay = self._pacing.backoff(message.tries)
        given_up = not message.lasting and again.tries >= SHORT_TRIES
        tell(
            "notify-failed",
            level=logging.WARNING,
            registry=message.registry.text,
            error=error.name,
            sentence=error.sentence,
            tries=again.tries,
            delay_seconds=0 if given_up else round(delay / timedelta(seconds=1)),
        )
        if not given_up:
            await self._queue.send(again, delay)

    async def _reject(self, error: MalformedMessage, body: bytes) -> None:
        """Record what cannot be read, as the other doors do."""
        tell("reject", level=logging.WARNING, error=error.name, sentence=error.sentence)
        entry = HistoryEntry(
            at=self._clock.now(),
            registry=None,
            kind="rejected",
            subject=error.name,
            sentence=error.sentence,
            result=error.name,
            before={"input": repr(body)[:_LONGEST_INPUT]},
        )
        await self._ledger.append([entry])


def _without(row: LedgerRow, done: set[str]) -> LedgerRow:
    return replace(row, outbox=tuple(event for event in row.outbox if event.id not in done))
