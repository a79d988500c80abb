"""
Draw the cases of a campaign from a seed: single faults, and pairs of them, at calls of the path.

A clean run of each story is recorded before the first case of it, so that faults fall on calls that are really made.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from local.campaign.cases import AMOUNTS, EVENTS, OPERATIONS, WRITES, Case, Injection, Kind, Story
from local.campaign.weather import AppCall

type Record = Callable[[Case], Sequence[AppCall]]
"""Gives the app's calls of a case in which nothing goes wrong."""

_WORLDS = 6
"""Seeds that make different worlds: whether Azure closes the parts by itself, whether a new registry reads 404 once."""
_PAIR_EACH = 3
"""Every third case is a pair."""


def draw(seed: int, record: Record, only: Kind | None = None) -> Iterator[Case]:
    """Cases without end; equal arguments give equal cases."""
    rng = random.Random(seed)
    paths: dict[tuple[Story, int], Sequence[AppCall]] = {}

    def path(story: Story, world: int) -> Sequence[AppCall]:
        if (story, world) not in paths:
            paths[story, world] = record(Case(story=story, seed=world))
        return paths[story, world]

    for position in count():
        story = rng.choices(tuple(Story), (3, 1))[0]
        world = rng.randrange(_WORLDS)
        calls = path(story, world)
        first = only or rng.choice(tuple(Kind))
        kinds = [first] if position % _PAIR_EACH else [first, rng.choice(tuple(Kind))]
        injections = tuple(_injection(kind, calls, rng) for kind in kinds)
        yield Case(story=story, seed=world, injections=injections)


def _injection(kind: Kind, calls: Sequence[AppCall], rng: random.Random) -> Injection:
    at = 0 if kind in EVENTS else rng.choice(places(kind, calls) or [0])
    return Injection(kind=kind, at=at, amount=rng.choice(AMOUNTS[kind]))


def places(kind: Kind, calls: Sequence[AppCall]) -> list[int]:
    """Numbers of the calls at which *kind* can happen."""
    return [number for number, call in enumerate(calls, 1) if _may(kind, call)]


def _may(kind: Kind, call: AppCall) -> bool:
    if kind in OPERATIONS:
        return call.long
    if kind in WRITES:
        return call.writes
    return kind is not Kind.STALE or call.stale
