"""
What the app knows of registries, for whoever asks: lists, the last word on one of them, its history.

Everything here comes from the ledger; Azure is not asked. A registry outside the policy's scope is refused before even
the ledger is read, so that nobody can find out by asking what exists there.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.arm import ResourceId
from shared.core.errors import OutOfScope, UnknownRegistry
from shared.core.policy import IsolationPolicy
from shared.engine.ports import Clock, HistoryPage, Ledger, LedgerPage
from shared.engine.records import HistoryEntry, LedgerRow

PASSING = frozenset({"waiting", "superseded"})
"""Phases that another one follows without anybody's doing."""
_MOST_DONE = 200
"""History entries looked through for what was done in a generation; a plan holds fewer changes than that."""
_FIRST_LOOK = timedelta(milliseconds=500)
_LONGEST_PAUSE = timedelta(seconds=5)
_GROWTH = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A registry's row, and the changes that its present generation made or tried, newest first."""

    row: LedgerRow
    done: tuple[HistoryEntry, ...]

    @property
    def phase(self) -> str:
        """The last word on it, "requested" before the first."""
        return self.row.outcome.kind if self.row.outcome else "requested"

    @property
    def answered(self) -> bool:
        """The phase is the answer to the last request, not to one before it."""
        return self.row.sequence > 0

    @property
    def final(self) -> bool:
        """Nothing more happens to the last request by itself."""
        return self.answered and self.phase not in PASSING


class Inquiry:
    """Answers from the ledger; one per process."""

    def __init__(self, ledger: Ledger, policy: IsolationPolicy, clock: Clock) -> None:
        self._ledger = ledger
        self._policy = policy
        self._clock = clock

    def check(self, registry: ResourceId) -> None:
        """Refuse *registry* with OutOfScope unless the policy looks after it, as far as its id tells."""
        if not self._policy.in_scope(registry):
            raise OutOfScope(
                f"Registry {registry.name} is outside the policy's scope: its subscription is not listed in "
                "scope.subscriptions, or its name is left out by scope.registries.",
                resource_id=registry.text,
            )

    async def list(self, *, phase: str = "", limit: int = 100, after: str = "") -> LedgerPage:
        """
        List the registries in scope that the ledger knows; a page may hold fewer than *limit* and have a next one.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        page = await self._ledger.list_rows(phase=phase, limit=limit, after=after)
        return replace(page, rows=tuple(row for row in page.rows if self._policy.in_scope(row.registry)))

    async def dossier(self, registry: ResourceId) -> Dossier:
        """The last word on *registry*; raises OutOfScope or UnknownRegistry."""
        row = await self._row(registry)
        entries = await self._ledger.history(registry, _MOST_DONE)
        since = row.requested
        return Dossier(row=row, done=tuple(each for each in entries if each.kind == "change" and each.at >= since))

    async def history(self, registry: ResourceId, *, limit: int = 100, after: str = "") -> HistoryPage:
        """
        Read what happened to *registry*, newest first.

        Raises:
            OutOfScope: The policy does not look after it.
            UnknownRegistry: Nothing ever happened to it.
            MalformedCursor: *after* did not come from an earlier page.
        """
        self.check(registry)
        page = await self._ledger.history_page(registry, limit, after)
        if not page.entries and not after:
            await self._row(registry)
        return page

    async def settled(self, registry: ResourceId, generation: int, patience: timedelta) -> Dossier | None:
        """
        Wait until the request that became *generation*, or a later one, is answered for good; None if *patience* ends first.

        Looks at the row alone, less often each time; the dossier is read once, at the end.
        """
        end = self._clock.now() + patience
        pause = _FIRST_LOOK
        while True:
            row = await self._row(registry)
            if row.generation >= generation and Dossier(row=row, done=()).final:
                return await self.dossier(registry)
            left = end - self._clock.now()
            if left <= timedelta():
                return None
            await self._clock.sleep(min(pause, left))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    async def _row(self, registry: ResourceId) -> LedgerRow:
        self.check(registry)
        entry = await self._ledger.read(registry)
        if entry is None:
            raise UnknownRegistry(
                f"The app knows nothing of registry {registry.name}; POST …/remediate makes it look.",
                resource_id=registry.text,
            )
        return entry.row
