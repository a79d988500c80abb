"""
What happened when, in seconds since the user asked for the registry.

Three witnesses on one machine and therefore one clock: the simulated Azure's log of calls and deliveries, the app's own
history, and what the demo saw closing. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from shared.engine.records import HistoryEntry

type Call = Mapping[str, Any]
_MANAGED = ("/subscriptions/", "/providers/")
"""How paths at Resource Manager begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the timeline; *seconds* is how long it took, None for a moment."""

    at: datetime
    what: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """How many requests the app made to Azure Resource Manager."""

    reads: int
    writes: int
    polls: int

    @property
    def total(self) -> int:
        return self.reads + self.writes + self.polls


def asked_at(calls: Iterable[Call], registry_id: str) -> datetime:
    """When Azure took the user's PUT of the registry."""
    return next(
        datetime.fromisoformat(each["at"])
        for each in calls
        if each["method"] == "PUT" and registry_id.lower() in each["url"].lower() and each["status"] < 300
    )


def timeline(
    *,
    asked: datetime,
    events: Sequence[Call],
    registry_id: str,
    history: Sequence[HistoryEntry],
    seen: Sequence[Step],
) -> tuple[Step, ...]:
    """
    Every step, in order.

    Args:
        asked: When the user asked for the registry.
        events: What Event Grid delivered, as the control plane tells it.
        history: The app's history of the registry, in any order.
        seen: Moments that only an observer knows.
    """
    steps = [
        Step(at=asked, what="the user asks for the registry"),
        *_told(events, registry_id, asked),
        *_done(history),
        *seen,
    ]
    return tuple(sorted(steps, key=lambda step: step.at))


def requests_of(calls: Iterable[Call], principal: str) -> Requests:
    """
    Count the calls of *principal* to Resource Manager, by the kinds of the simulated Azure's log.

    The log also holds what the app asks of other services: it publishes outcomes to a topic, and a registry's discovery
    service tells it names.
    """
    own = [each for each in calls if each["principal"] == principal]
    kinds = [each["kind"] for each in own if urlsplit(each["url"]).path.lower().startswith(_MANAGED)]
    return Requests(reads=kinds.count("read"), writes=kinds.count("write"), polls=kinds.count("poll"))


def _told(events: Sequence[Call], registry_id: str, asked: datetime) -> Iterator[Step]:
    """The event that started everything: the first about the registry itself."""
    for each in events:
        if str(each["subject"]).lower() == registry_id.lower():
            at = datetime.fromisoformat(each["at"])
            waited = (at - asked).total_seconds()
            yield Step(at=at, what=f"Event Grid delivers the registry's event, {waited:.1f} s after the request")
            return


def _done(history: Sequence[HistoryEntry]) -> Iterator[Step]:
    """The app's changes at the moment of their beginning; what the app concluded at the end."""
    for entry in history:
        if entry.kind == "outcome":
            if entry.result != "waiting":
                yield Step(at=entry.at, what=f"the app says: {entry.sentence}")
        elif entry.kind == "request":
            yield Step(at=entry.at, what=f"the app takes the job, {entry.sentence}")
        elif entry.kind == "change" and entry.result == "started":
            continue  # its end tells the same with its duration
        elif entry.kind == "change" and entry.duration_seconds is not None:
            yield Step(at=entry.at - _span(entry), what=entry.sentence, seconds=entry.duration_seconds)
        elif entry.kind != "change" or entry.result != "succeeded":
            yield Step(at=entry.at, what=f"{entry.sentence} ({entry.result})")


def _span(entry: HistoryEntry) -> timedelta:
    return timedelta(seconds=entry.duration_seconds or 0.0)
