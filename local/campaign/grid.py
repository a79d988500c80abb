"""
The grid of a campaign: every kind of fault at every call of every story's path, one cell each.

A path is recorded by a clean run of the story, so that faults fall on calls that are really made. The amount of a cell
is drawn from the cell itself: equal programs give equal grids.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from local.campaign.cases import Case, Injection, Story
from local.campaign.kinds import AMOUNTS, EVENTS, GRAPH, OPERATIONS, STORE, WRITES, Kind
from local.campaign.weather import AppCall

WORLD = 1
"""The seed of the grid's worlds: in it Azure closes nothing by itself, so that the app has more to do."""
_GRAPH_PATH = "microsoft.resourcegraph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """What the app asks of Azure and of its own storage in a story in which nothing goes wrong."""

    calls: tuple[AppCall, ...]
    store_calls: tuple[str, ...] = ()


type Record = Callable[[Case], Path]
"""Gives the path of a case in which nothing goes wrong."""


def places(kind: Kind, path: Path) -> list[int]:
    """Numbers of the calls at which *kind* can happen; 0 for what happens to events."""
    if kind in EVENTS:
        return [0]
    if kind in STORE:
        return list(range(1, len(path.store_calls) + 1))
    return [number for number, call in enumerate(path.calls, 1) if _may(kind, call)]


def _may(kind: Kind, call: AppCall) -> bool:
    if kind in OPERATIONS:
        return call.long
    if kind in WRITES - {Kind.FULL}:
        return call.writes
    if kind in GRAPH:
        return _GRAPH_PATH in call.path.lower()
    told = {Kind.STALE: call.stale, Kind.MISSING: call.new, Kind.LAGGING: call.lags, Kind.FULL: call.places}
    return told.get(kind, kind is not Kind.NONSENSE or call.method == "GET")


def cells(record: Record, only: Kind | None = None) -> Iterator[Case]:
    """Every cell, story by story."""
    for story in Story:
        path = record(Case(story=story, seed=WORLD))
        for kind in (only,) if only else Kind:
            for at in places(kind, path):
                for amount in _amounts(story, kind, at):
                    injection = Injection(kind=kind, at=at, amount=amount)
                    yield Case(story=story, seed=WORLD, injections=(injection,))


def _amounts(story: Story, kind: Kind, at: int) -> tuple[int, ...]:
    """One amount for a call; all of them where the whole story is concerned."""
    drawn = random.Random(f"{story} {kind} {at}").choice(AMOUNTS[kind])
    return (drawn,) if at else AMOUNTS[kind]


def table(found: Mapping[tuple[Story, Kind], int]) -> str:
    """The number of cells by kind and story, and their sum."""
    by_story: Counter[Story] = Counter()
    for (story, _), number in found.items():
        by_story[story] += number
    width = max(len(story) for story in Story) + 1
    head = f"{'':17}" + "".join(f"{story:>{width}}" for story in Story)
    lines = [head]
    for kind in Kind:
        numbers = [found.get((story, kind), 0) for story in Story]
        lines.append(f"{kind:17}" + "".join(f"{number or '-':>{width}}" for number in numbers))
    lines.append(f"{'all':17}" + "".join(f"{by_story[story]:>{width}}" for story in Story))
    lines.append(f"{by_story.total()} cells")
    return "\n".join(lines)


def count(found: Iterator[Case]) -> Counter[tuple[Story, Kind]]:
    """How many cells each story has of each kind."""
    return Counter((case.story, case.injections[0].kind) for case in found)
