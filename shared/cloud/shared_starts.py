"""
One write for every registry of this process that wants the same zone or link.

Registries that are created together all find that the zones of their network are missing, and each would ask for them with
the same body. The first request is sent, the others get its answer, and each asks after the operation by itself. Only while
it usually still runs, and not after anybody has seen it fail: whoever wants the thing then asks Azure anew.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from shared.cloud.shared_look import Look, begin_look
from shared.core.changes import Change, CreateZone, LinkZone, key_of
from shared.core.report import Done, Started
from shared.engine.ports import Progress, ProgressState
from shared.engine.records import Operation

LASTS = timedelta(seconds=30)
"""Zones and links take 34 to 38 s (recorded), so until then a second request would only meet the first one."""
_REMEMBERED = 1024


class SharedStarts:
    """
    Zones and links that this process has asked for lately.

    Args:
        pace: Less than 1 where a simulated Azure is done sooner.
    """

    def __init__(self, now: Callable[[], datetime], pace: float = 1.0) -> None:
        self._now = now
        self._lasts = LASTS * pace
        self._looks: OrderedDict[tuple[str, str], Look[Started | Done]] = OrderedDict()

    async def once(
        self, change: CreateZone | LinkZone, write: Callable[[], Awaitable[Started | Done]]
    ) -> Started | Done:
        """What Azure answered to *change*, which *write* asks for unless somebody just did; errors are not remembered."""
        key, now = _wanted(change), self._now()
        look = self._looks.get(key)
        if look is None or not look.serves(now - self._lasts, now, self._lasts):
            look = self._looks[key] = begin_look(write, now)
            self._looks.move_to_end(key)
            if len(self._looks) > _REMEMBERED:
                self._looks.popitem(last=False)
        return await look.answer()

    def note(self, operations: Mapping[str, Operation], told: Mapping[str, Progress]) -> None:
        """Somebody has asked after *operations*: what failed is asked for anew."""
        for key, progress in told.items():
            change: Change | None = operations[key].change if key in operations else None
            if isinstance(change, CreateZone | LinkZone) and progress.state is ProgressState.FAILED:
                self._looks.pop(_wanted(change), None)


def _wanted(change: CreateZone | LinkZone) -> tuple[str, str]:
    """What would be there afterwards."""
    return key_of(change), change.network.key if isinstance(change, LinkZone) else ""
