"""
Whose turn it is to have names read, when Private DNS lets nobody read as often as it would like.

Asked before an observation, so that a pass that would have to come back does so before it has read everything else. What
it comes back for is noted: an answer that began after this moment is as good as one read by the pass itself, because by
then the pass had seen the operations end that the names follow from. Lives in the process: elsewhere, a pass asks anew.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.report import Reason, Waiting
from shared.engine.ports import Clock, ControlPlane
from shared.engine.recall import Recall
from shared.engine.work import Work

_REMEMBERED = 4096
_KEPT = timedelta(minutes=10)
SENTENCE = "Private DNS allows few more reads now; the zones are read next for everybody who waits."


class NamesTurn:
    """Says when a pass may observe; one per process."""

    def __init__(self, plane: ControlPlane, recall: Recall, clock: Clock) -> None:
        self._plane = plane
        self._recall = recall
        self._clock = clock
        self._since: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def since(self, work: Work, seen: datetime) -> datetime:
        """From when on answers about names count for this pass, which saw at *seen* what ran for it; remembered until `done`."""
        key = work.registry.key
        generation, kept = self._since.get(key, (0, seen))
        if generation != work.message.generation or self._clock.now() - kept > _KEPT:
            kept = seen
        if work.row.renamed is not None:
            kept = max(kept, work.row.renamed)
        self._since[key] = (work.message.generation, kept)
        self._since.move_to_end(key)
        if len(self._since) > _REMEMBERED:
            self._since.popitem(last=False)
        return kept

    def done(self, work: Work) -> None:
        """The observation was made: the next one is about what comes after it."""
        self._since.pop(work.registry.key, None)

    async def wait(self, work: Work, since: datetime, zones: Sequence[ResourceId] = ()) -> Waiting | None:
        """
        The outcome of a pass that has to come back; None for one that may go on.

        Args:
            zones: Known to be needed; else those of the last observation.
        """
        wanted = tuple(zones) or self._recall.zones_of(work.registry)
        if not wanted:
            return None
        until = await self._plane.zones_due(wanted, since)
        if until is None or until <= self._clock.now():
            return None
        reason = Reason(name="Throttled", sentence=SENTENCE, resource=work.registry.text)
        return Waiting(until=until, reasons=(reason,))
