"""
What happens to everything that arrives at a door: a request, something to ignore, or a record of what could not be read.

A malformed event is recorded and acknowledged: delivering it again for a day would not make it readable.
"""

import logging
from collections.abc import Collection

from shared.core.errors import InvalidInput
from shared.core.events import read_event
from shared.core.requests import Ignored, ReconcileRequest, RelatedResource, WorkMessage
from shared.engine.intake import Intake
from shared.engine.logs import tell
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
    """

    def __init__(
        self, *, intake: Intake, ledger: Ledger, clock: Clock, own_principal: str | None, subscriptions: Collection[str]
    ) -> None:
        self._intake = intake
        self._ledger = ledger
        self._clock = clock
        self._own_principal = own_principal
        self._subscriptions = subscriptions

    async def receive(self, event: object) -> WorkMessage | None:
        """
        Take one Event Grid event in; gives the message it led to, if any.

        Raises:
            RegistryIsolationError: The request could not be recorded or enqueued; Event Grid has to deliver it again.
        """
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
        match found:
            case ReconcileRequest():
                message = await self._intake.accept(found)
                tell(
                    "receive",
                    registry=found.registry.text,
                    origin=found.origin,
                    caller=found.caller,
                    generation=message.generation,
                )
                return message
            case RelatedResource():
                tell("ignore", level=logging.DEBUG, why="related", detail=found.id.text)
            case Ignored():
                tell("ignore", level=logging.DEBUG, why=found.why.value, detail=found.detail)
        return None

    async def reject(self, error: InvalidInput, given: object, kind: HistoryKind) -> None:
        """Record input that cannot be read, so that nothing that arrived is lost without a trace."""
        tell("reject", level=logging.WARNING, error=error.name, sentence=error.sentence)
        text = given if isinstance(given, str) else repr(given)
        await self._ledger.append(
            [
                HistoryEntry(
                    at=self._clock.now(),
                    registry=None,
                    kind=kind,
                    subject=error.name,
                    sentence=error.sentence,
                    result=error.name,
                    before={"input": text[:_LONGEST_INPUT]},
                )
            ]
        )
