"""
Show what failed, say why, and try it again when a person has put it right.

Two kinds of things are shown: registries whose phase is Failed, each with its last error and the message that met it, and
after them input that nobody could read, which has no registry and cannot be tried again.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.core.arm import ResourceId
from shared.core.errors import MalformedCursor
from shared.core.report import Failed
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.gather import all_of
from shared.engine.intake import Intake
from shared.engine.ports import Clock, Ledger
from shared.engine.records import HistoryEntry, LedgerRow

FAILED = "failed"
_ROWS, _INPUT = "rows", "input"
_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonEntry:
    """
    Something that failed for good.

    Attributes:
        registry: None for input that names none.
        at: When it failed last.
        sentence: What happened and what to do.
        error: Name of the last error; "" if nobody could note it.
        fate: Of that error, "bug" for one that the app does not expect, "" if nobody knows.
        attempts: Deliveries of the message that ended like this.
        message: The queue message, or the input, as far as it was kept.
    """

    registry: ResourceId | None
    at: datetime
    sentence: str
    error: str
    fate: str
    attempts: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonPage:
    """Some entries; *after* asks for the next page, "" after the last one."""

    entries: tuple[PoisonEntry, ...]
    after: str = ""


class PoisonList:
    """Lists and replays; holds no state."""

    def __init__(self, ledger: Ledger, intake: Intake, clock: Clock) -> None:
        self._ledger = ledger
        self._intake = intake
        self._clock = clock

    async def list(self, limit: int = _PAGE, after: str = "") -> PoisonPage:
        """
        At most *limit* entries: failed registries in a stable order, then unreadable input, newest first.

        Raises:
            MalformedCursor: *after* did not come from an earlier page.
        """
        kind, _, place = after.partition(":")
        if after and kind not in {_ROWS, _INPUT}:
            raise MalformedCursor("The cursor did not come from this list; ask for the first page again.")
        return await (self._input(limit, place) if kind == _INPUT else self._rows(limit, place))

    async def replay(self, registry: ResourceId, caller: str = "") -> WorkMessage | None:
        """Ask for a failed registry again, afresh; None if it has not failed, which then needs no replay."""
        entry = await self._ledger.read(registry)
        if entry is None or not isinstance(entry.row.outcome, Failed):
            return None
        return await self._again(registry, caller)

    async def replay_all(self, limit: int = _PAGE, caller: str = "") -> tuple[WorkMessage, ...]:
        """Ask for at most *limit* failed registries again; those asked for already are asked for once more."""
        sent: list[WorkMessage] = []
        after = ""
        while len(sent) < limit:
            page = await self._ledger.list_rows(phase=FAILED, limit=min(limit - len(sent), _PAGE), after=after)
            for row in page.rows:
                sent.append(await self._again(row.registry, caller))  # noqa: PERF401 -- one after the other, on purpose
            after = page.after
            if not after:
                break
        return tuple(sent)

    async def _again(self, registry: ResourceId, caller: str) -> WorkMessage:
        return await self._intake.accept(
            ReconcileRequest(
                registry=registry,
                reason=RequestReason.REPLAY,
                origin="replay",
                received=self._clock.now(),
                caller=caller,
            )
        )

    async def _rows(self, limit: int, place: str) -> PoisonPage:
        page = await self._ledger.list_rows(phase=FAILED, limit=limit, after=place)
        found = await all_of(self._ledger.read(summary.registry) for summary in page.rows)
        entries = tuple(_of_row(entry.row) for entry in found if entry is not None and _failed(entry.row))
        if page.after:
            return PoisonPage(entries=entries, after=f"{_ROWS}:{page.after}")
        if len(entries) >= limit:
            return PoisonPage(entries=entries, after=f"{_INPUT}:")
        rest = await self._input(limit - len(entries), "")
        return PoisonPage(entries=(*entries, *rest.entries), after=rest.after)

    async def _input(self, limit: int, place: str) -> PoisonPage:
        page = await self._ledger.history_page(None, limit, place)
        after = f"{_INPUT}:{page.after}" if page.after else ""
        return PoisonPage(entries=tuple(_of_input(entry) for entry in page.entries), after=after)


def _failed(row: LedgerRow) -> bool:
    return isinstance(row.outcome, Failed)


def _of_row(row: LedgerRow) -> PoisonEntry:
    last = row.last_error
    reason = row.outcome.reason if isinstance(row.outcome, Failed) else None
    message = ""
    if last is not None:
        message = WorkMessage(
            registry=row.registry, generation=last.generation, attempt=last.attempt, trace=row.trace
        ).encode()
    return PoisonEntry(
        registry=row.registry,
        at=row.report.at if row.report else row.requested,
        sentence=reason.sentence if reason else "",
        error=last.name if last else "",
        fate=last.fate.value if last else "",
        attempts=last.deliveries if last else 0,
        message=message,
    )


def _of_input(entry: HistoryEntry) -> PoisonEntry:
    given = (entry.before or {}).get("input", "")
    return PoisonEntry(
        registry=None,
        at=entry.at,
        sentence=entry.sentence,
        error=entry.subject,
        fate="permanent",
        attempts=entry.attempts,
        message=given if isinstance(given, str) else "",
    )
