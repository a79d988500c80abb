"""
What happens to everything that arrives at a door: a request, something to ignore, or a record of what could not be read.

A malformed event is recorded and acknowledged: delivering it again for a day would not make it readable.
"""

import logging
from collections.abc import Collection
from typing import assert_never

from shared.core.arm import ResourceId
from shared.core.errors import InvalidInput
from shared.core.events import read_event
from shared.core.report import Gone
from shared.core.requests import Ignored, ReconcileRequest, RelatedResource, RequestReason, WorkMessage
from shared.core.secrets import without_secrets
from shared.engine.chain import following, within
from shared.engine.drift import DriftIntake
from shared.engine.intake import Intake
from shared.engine.logs import tell
from shared.engine.owners import Owners
from shared.engine.ports import Clock, Ledger
from shared.engine.records import HistoryEntry, HistoryKind

_LONGEST_INPUT = 2000
"""Characters of unreadable input kept in the history; enough to recognise it, too few to flood the table."""


class Reception:
    """
    Receives events.

    Args:
        own_principal: Object id of the app's identity, whose writes are nothing new; None if not configured.
        subscriptions: The policy's subscriptions; empty means all.
        owners: Tells whose part a resource is; None leaves drift to the sweep.
        drift: Takes in changes of parts, where *owners* is given.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        ledger: Ledger,
        clock: Clock,
        own_principal: str | None,
        subscriptions: Collection[str],
        owners: Owners | None = None,
        drift: DriftIntake | None = None,
    ) -> None:
        self._intake = intake
        self._ledger = ledger
        self._clock = clock
        self._own_principal = own_principal
        self._subscriptions = subscriptions
        self._owners = owners
        self._drift = drift

    async def receive(self, event: object) -> WorkMessage | None:
        """
        Take one Event Grid event in; gives the message it led to, if any.

        Raises:
            RegistryIsolationError: The request could not be recorded or enqueued; Event Grid has to deliver it again.
        """
        with within(door="event"):
            try:
                found = read_event(
                    event,
                    own_principal=self._own_principal,
                    subscriptions=self._subscriptions,
                    received=self._clock.now(),
                )
            except InvalidInput as error:
                await self.reject(error, event, "rejected")
                return None
            return await self._take(found)

    async def _take(self, found: ReconcileRequest | RelatedResource | Ignored) -> WorkMessage | None:
        match found:
            case ReconcileRequest():
                if await self._is_old_news(found, found.registry):
                    return None
                message = await self._intake.accept(found)
                with following(message):
                    tell("receive", origin=found.origin, caller=found.caller)
                return message
            case RelatedResource():
                return await self._receive_related(found)
            case Ignored():
                tell("ignore", level=logging.DEBUG, why=found.why.value, detail=found.detail)
                return None
            case _:
                assert_never(found)

    async def _is_old_news(self, found: ReconcileRequest | RelatedResource, registry: ResourceId) -> bool:
        """
        That a registry, or a part of it, was deleted is no news once it is known to be gone.

        A late repetition would have the app look for an hour whether the registry is being created. Should another one of
        its name have come meanwhile, that has an event of its own.
        """
        if not found.deleted:
            return False
        entry = await self._ledger.read(registry)
        if entry is None or entry.row.sequence == 0 or not isinstance(entry.row.outcome, Gone):
            return False
        tell("ignore", level=logging.DEBUG, why="gone", detail=registry.text)
        return True

    async def _receive_related(self, found: RelatedResource) -> WorkMessage | None:
        """Ask for a pass over each registry that the resource belongs to, unless one is planned; gives the last message."""
        owners = await self._owners.of(found.id) if self._owners else ()
        if not owners or self._drift is None:
            tell("ignore", level=logging.DEBUG, why="related", detail=found.id.text)
            return None
        sent = None
        for registry in owners:
            if await self._is_old_news(found, registry):
                continue
            message = await self._drift.accept(_request(registry, found), found.id)
            with following(message) if message else within(registry=registry.text):
                tell(
                    "receive",
                    level=logging.INFO if message else logging.DEBUG,
                    origin=found.origin,
                    caller=found.caller,
                    part=found.id.text,
                    planned=message is None,
                )
            sent = message or sent
        return sent

    async def reject(self, error: InvalidInput, given: object, kind: HistoryKind) -> None:
        """Record input that cannot be read, so that nothing that arrived is lost without a trace."""
        sentence = without_secrets(error.sentence)  # it quotes the input
        tell("reject", level=logging.WARNING, error=error.name, sentence=sentence)
        text = given if isinstance(given, str) else repr(given)
        await self._ledger.append(
            [
                HistoryEntry(
                    at=self._clock.now(),
                    registry=None,
                    kind=kind,
                    subject=error.name,
                    sentence=sentence,
                    result=error.name,
                    before={"input": without_secrets(text[:_LONGEST_INPUT])},
                )
            ]
        )


def _request(registry: ResourceId, found: RelatedResource) -> ReconcileRequest:
    return ReconcileRequest(
        registry=registry,
        reason=RequestReason.RELATED,
        origin=found.origin,
        received=found.received,
        caller=found.caller,
    )
