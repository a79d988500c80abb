"""
A sweep as values: its record, the walk through a long list that it resumes page by page, and the message between steps.

One step handles one page and ends with the record written and the next message sent, so that no time limit is met and a
crash costs one page. A walk may begin in the middle: where the last sweep ran out of its limit, the next one begins, goes
round, and ends where it began. Nobody is first for ever, and so nobody is last for ever.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.core.arm import ResourceId
from shared.core.errors import MalformedMessage
from shared.core.requests import MESSAGE_BYTES

SWEEP_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", re.ASCII)
"""When it began, and eight random digits: sorts by time."""
MOST_NOTES = 10
_MOST_NOTE_CHARACTERS = 300


class SweepState(StrEnum):
    """Where a sweep stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class SweepPhase(StrEnum):
    """First everything that the inventory shows, then everything that the ledger knows."""

    INVENTORY = "inventory"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A registry in a list of pages: the page's cursor, and the registry's id ("" for the page's first)."""

    cursor: str = ""
    registry: str = ""


BEGINNING = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """
    Where in a list of pages a sweep is.

    Attributes:
        start: Where it began.
        cursor: The page to read next.
        wrapped: It has met the end of the list and is on the way from the list's beginning to *start*.
        again: The page was begun before and not finished; what it held is counted already.
    """

    start: Place = BEGINNING
    cursor: str = ""
    wrapped: bool = False
    again: bool = False

    @classmethod
    def from_place(cls, place: Place) -> Self:
        """A walk that begins at *place*."""
        return cls(start=place, cursor=place.cursor)

    def part[Item](self, items: Sequence[Item], ids: Sequence[ResourceId]) -> Sequence[Item]:
        """Those of a page's *items*, whose ids are *ids*, that this walk has not met and is to meet now."""
        at = self._start_in(ids)
        if not self.wrapped:
            return items[at:] if at is not None and self.cursor == self.start.cursor else items
        if at is None:  # the registry was deleted since; the way to the end took its whole page
            return items[:0] if self.cursor == self.start.cursor else items
        return items[:at]

    def after(self, cursor: str, ids: Sequence[ResourceId]) -> Self | None:
        """The walk after the page of *ids*, whose next one is at *cursor* ("" after the last); None when it is done."""
        back = self.wrapped and (self.cursor == self.start.cursor or self._start_in(ids) is not None)
        if back or (not cursor and (self.wrapped or self.start == BEGINNING)):
            return None
        if cursor:
            return replace(self, cursor=cursor, again=False)
        return replace(self, cursor="", wrapped=True, again=False)

    def _start_in(self, ids: Sequence[ResourceId]) -> int | None:
        """Where in a page the walk began; None if not in this one."""
        wanted = self.start.registry.lower()
        return next((at for at, registry in enumerate(ids) if registry.key == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """
    One sweep: who wanted it, how far it is, what it found.

    Attributes:
        reason: "timer" or "http".
        origin: What started it, for the record.
        caller: Who asked, "" for the timer.
        touched: When its last step ended.
        due: When its next step is planned; later than *touched* while a quota is waited for.
        step: Number of the step that comes next; a message that bears another one is a repetition.
        revived: How often its chain of messages was found lost and taken up again.
        blind: The inventory cannot be asked, so that only the ledger says something.
        failures: Consecutive steps that ended in a temporary error other than throttling.
        restarts: How often the list had to be begun anew because its cursor was not understood any more.
        ledger_start: Where the second phase begins.
        enqueued: Registries handed to the queue, urgent ones and others.
        deferred: Registries that were not, because of `limits.registries_per_sweep`.
        inventory_next, ledger_next: Where the first of those stands; the next sweep begins there.
        seen: Registries in the inventory.
        verdicts: How many of each, by what the inventory showed.
        rows: Rows in the ledger.
        reviews: How many of each verdict, by what the ledger said.
        phases: How many rows of each phase.
        queries: Queries to the inventory.
        notes: What a person should know of this sweep: partial answers, quotas, doubts; the first MOST_NOTES of them.
        sentence: Why it failed, "" unless it did.
    """

    id: str
    reason: str
    origin: str
    begun: datetime
    touched: datetime
    due: datetime
    caller: str = ""
    state: SweepState = SweepState.RUNNING
    finished: datetime | None = None
    step: int = 1
    revived: int = 0
    blind: bool = False
    failures: int = 0
    restarts: int = 0
    phase: SweepPhase = SweepPhase.INVENTORY
    walk: Walk = field(default_factory=Walk)
    ledger_start: Place = BEGINNING
    enqueued: int = 0
    deferred: int = 0
    inventory_next: Place | None = None
    ledger_next: Place | None = None
    seen: int = 0
    verdicts: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    reviews: Mapping[str, int] = field(default_factory=dict)
    phases: Mapping[str, int] = field(default_factory=dict)
    queries: int = 0
    notes: tuple[str, ...] = ()
    sentence: str = ""

    def noted(self, note: str) -> Self:
        """With one more note; what was said already is not said again."""
        short = note if len(note) <= _MOST_NOTE_CHARACTERS else note[: _MOST_NOTE_CHARACTERS - 3] + "..."
        if not short or short in self.notes or len(self.notes) >= MOST_NOTES:
            return self
        return replace(self, notes=(*self.notes, short))


SWEEP: TypeAdapter[SweepRecord] = TypeAdapter(SweepRecord)
"""JSON form of a sweep's record."""


def added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """*counts* with *more* added."""
    return {name: counts.get(name, 0) + more.get(name, 0) for name in sorted({*counts, *more})}


# --- the message between two steps ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMessage:
    """The next step of a sweep, please; *step* counts them, so that a repeated delivery is recognised."""

    sweep: str
    step: int

    def encode(self) -> str:
        """The message as JSON text."""
        return _Wire(version=1, sweep=self.sweep, step=self.step).model_dump_json()

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read a message; raises MalformedMessage with the reason."""
        if len(text) > MESSAGE_BYTES:
            raise MalformedMessage(
                f"The queue message is longer than {MESSAGE_BYTES}, which no message of this app is."
            )
        try:
            wire = _Wire.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "message"
            raise MalformedMessage(
                f"The queue message asks for no step of a sweep: {where}: {first['msg']}."
            ) from error
        return cls(sweep=wire.sweep, step=wire.step)


class _Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    sweep: Annotated[str, Field(pattern=f"^{SWEEP_ID.pattern}$", max_length=64)]
    step: Annotated[int, Field(ge=1, le=2**53 - 1)]
