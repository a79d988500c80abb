"""
How much a run of the bench measures: everything, what a minute allows, or everything on a small scale.

A small run makes every measurement of a full one on worlds so small that its figures mean nothing. It shows that the bench
works, what it demands of a run included, in a time in which `make coverage` can trace it.
"""

from dataclasses import dataclass

RUSH_OF_THE_BUDGET = 1_000
"""The budget on throttling speaks of so many registries at once."""
CROWD_OF_THE_BUDGET = 10_000
"""The budget on sweeps speaks of so many registries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """
    Of hosts that share a queue.

    Attributes:
        hosts: How many, one run after the other.
        registries: Created together.
        rounds: Of events, and then of passes; rates are their medians.
        deliveries: Of one round of events.
    """

    hosts: tuple[int, ...] = (1, 2, 3, 4)
    registries: int = 8
    rounds: int = 5
    deliveries: int = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Storms:
    """Of a storm of *events* into *hosts*, one run after the other, while *registries* are being created."""

    events: int = 100_000
    hosts: tuple[int, ...] = (2, 4)
    registries: int = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Of the dashboard: *looks* at *registries*."""

    registries: int = 10_000
    looks: int = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """
    Of the measurements that start programs or build crowds.

    Attributes:
        their_seeds: Days of faults that the Azure CLI's commands are put to.
        our_seeds: Days of faults that the app is put to.
        rush: Registries created at once, in a process beside the others.
        crowds: Isolated registries that are swept, a crowd after the other.
    """

    their_seeds: tuple[int, ...]
    our_seeds: tuple[int, ...]
    rush: int
    crowds: tuple[int, ...]
    sharing: Sharing
    storms: Storms
    board: Board


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """
    Of one run.

    Attributes:
        name: As the table tells it.
        starts: Fresh interpreters of each kind.
        event_rounds: Of events that concern nobody.
        intake_rounds: Of events of which some concern a registry.
        rush: Registries created at once.
        apart: None where it is left out.
    """

    name: str
    starts: int
    event_rounds: int
    intake_rounds: int
    rush: int
    apart: Apart | None = None


FULL = Sizes(
    name="full",
    starts=11,
    event_rounds=200,
    intake_rounds=60,
    rush=60,
    apart=Apart(
        their_seeds=(7, 8, 9),
        our_seeds=(1, 2, 3, 4, 5),
        rush=RUSH_OF_THE_BUDGET,
        crowds=(1_000, CROWD_OF_THE_BUDGET),
        sharing=Sharing(),
        storms=Storms(events=4_000, hosts=(2,)),
        board=Board(),
    ),
)
QUICK = Sizes(name="quick", starts=5, event_rounds=40, intake_rounds=20, rush=20)
SMALL = Sizes(
    name="small",
    starts=1,
    event_rounds=2,
    intake_rounds=2,
    rush=2,
    apart=Apart(
        their_seeds=(7,),
        our_seeds=(1,),
        rush=3,
        crowds=(10, 20),
        sharing=Sharing(hosts=(2,), registries=2, rounds=1, deliveries=2),
        storms=Storms(events=200, hosts=(2,), registries=2),
        board=Board(registries=150, looks=3),
    ),
)
