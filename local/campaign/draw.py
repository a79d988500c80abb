"""
The order of a campaign: the cells of the grid shuffled by a seed, every third run a pair of faults, then pairs for ever.

Equal arguments give equal cases, so that a campaign goes on where an earlier one was stopped (`--from`).
"""

import random
from collections.abc import Iterator
from itertools import count

from local.campaign.cases import Case, Injection, Story
from local.campaign.grid import Path, Record, cells, places
from local.campaign.kinds import AMOUNTS, EVENTS, Kind

_WORLDS = 6
"""Seeds that make different worlds: whether Azure closes the parts by itself, whether a new registry reads 404 once."""
_PAIR_EACH = 3
"""Every third case is a pair."""


def draw(seed: int, record: Record, only: Kind | None = None) -> Iterator[Case]:
    """Cases without end."""
    rng = random.Random(seed)
    singles = list(cells(record, only))
    rng.shuffle(singles)
    pairs = _pairs(random.Random(f"pairs of {seed}"), record, only)
    for position in count(1):
        yield next(pairs) if position % _PAIR_EACH == 0 or not singles else singles.pop()


def _pairs(rng: random.Random, record: Record, only: Kind | None) -> Iterator[Case]:
    paths: dict[tuple[Story, int], Path] = {}
    while True:
        story, world = rng.choice(tuple(Story)), rng.randrange(_WORLDS)
        if (story, world) not in paths:
            paths[story, world] = record(Case(story=story, seed=world))
        path = paths[story, world]
        possible = [kind for kind in Kind if places(kind, path)]
        first = only if only in possible else rng.choice(possible)
        kinds = (first or rng.choice(possible), rng.choice(possible))
        yield Case(story=story, seed=world, injections=tuple(_injection(kind, path, rng) for kind in kinds))


def _injection(kind: Kind, path: Path, rng: random.Random) -> Injection:
    at = 0 if kind in EVENTS else rng.choice(places(kind, path))
    return Injection(kind=kind, at=at, amount=rng.choice(AMOUNTS[kind]))
