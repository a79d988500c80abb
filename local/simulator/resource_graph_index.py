"""
The index behind Resource Graph: pictures of the world, each shown only some time after it was taken.

Whatever writes in the world marks the resource. At the end of the moment a picture is taken of everything marked, and it
takes the earlier picture's place when its time has come: changes and deletions alike. Reading it never looks at the
world, so that it is stale exactly as the real one is.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from local.simulator import arm_ids
from local.simulator.resource_graph_rows import place_of
from local.simulator.resource_graph_values import Row

type Photographer = Callable[[str], Row | None]
"""The row of a lower-cased id as the world has it now; `None` when there is no such resource."""


class LaggingIndex:
    """
    Rows by table, type and lower-cased id.

    Args:
        photographer: Takes the pictures.
        lag: From a change to the moment at which it shows.
        frozen: Nothing new is shown while this holds.
    """

    def __init__(
        self, photographer: Photographer, *, lag: timedelta, frozen: Callable[[], bool] = lambda: False
    ) -> None:
        self.lag = lag
        self._frozen = frozen
        self._photographer = photographer
        self._marked: dict[str, None] = {}
        self._waiting: deque[tuple[datetime, tuple[str, str], str, Row | None]] = deque()
        self._shown: dict[tuple[str, str], dict[str, Row]] = {}

    def mark(self, key: str) -> None:
        """Something happened to the resource of that lower-cased id, or to a part of it."""
        self._marked[key] = None

    def photograph(self, now: datetime) -> None:
        """Take pictures of everything that was marked in the moment *now*; taking one may mark another resource."""
        while self._marked:
            marked, self._marked = self._marked, {}
            for key, place in _shown_keys(marked).items():
                self._waiting.append((now + self.lag, place, key, self._photographer(key)))
        self.catch_up(now)

    def catch_up(self, now: datetime) -> None:
        """Show every picture whose time has come."""
        if self._frozen():
            return
        while self._waiting and self._waiting[0][0] <= now:
            _, place, key, row = self._waiting.popleft()
            self._show(place, key, row)

    def show_everything(self, now: datetime) -> None:
        """Show the world as it is now, without any lag, whether frozen or not."""
        self.photograph(now)
        while self._waiting:
            _, place, key, row = self._waiting.popleft()
            self._show(place, key, row)

    def _show(self, place: tuple[str, str], key: str, row: Row | None) -> None:
        rows = self._shown.setdefault(place, {})
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row

    def rows(self, table: str, types: frozenset[str] | None) -> Iterator[tuple[str, Iterable[Row]]]:
        """The shown rows of a table, type by type; of these types only, if any are given."""
        for (held, kind), rows in self._shown.items():
            if held == table and (types is None or kind in types):
                yield kind, rows.values()

    def __len__(self) -> int:
        return sum(len(each) for each in self._shown.values())


def _shown_keys(marked: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The marked resources and, where a part of a resource was marked, the resource that shows it; with their places."""
    found: dict[str, tuple[str, str]] = {}
    for key in marked:
        at = key
        while at:
            parts = arm_ids.parse(at)
            place = place_of(parts.type.lower())
            if place is not None and (at == key or "/providers/" in at):
                found[at] = place
            at = parts.parent if "/providers/" in at else ""
    return found
