"""
What a run of the campaign is: a story, a seed and what goes wrong at which call; one line of text names it whole.

    create:7:throttled@17x2+table-down@30x10

reads: the registry of seed 7 is created; the 17th call of the app and its first repetition are throttled, and at the
30th call the table service goes away for ten minutes. The first call has number 1; 0 is before anything happens.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from local.campaign.kinds import Kind


class Story(StrEnum):
    """What happens while things go wrong; `local.campaign.stories` tells each."""

    CREATE = "create"
    """A registry is created, and becomes isolated."""
    REGIONS = "regions"
    """A registry in two regions is created."""
    NETWORKS = "networks"
    """A registry is created that three networks serve."""
    TOGETHER = "together"
    """Two registries are created at once and share one workspace's storage account."""
    EGRESS = "egress"
    """A registry is created whose clients need security rules."""
    AUDIT = "audit"
    """A registry is created, and nothing may be written."""
    DRIFT = "drift"
    """An isolated registry is opened, and loses an endpoint and a record; events tell of it."""
    SWEEP = "sweep"
    """The same, and no event tells of it: a sweep must find it."""
    GROW = "grow"
    """An isolated registry gets one more region."""
    UNDO = "undo"
    """A person undoes the isolation."""
    DELETE = "delete"
    """An isolated registry is deleted, and what the app made for it goes."""
    RECREATE = "recreate"
    """An isolated registry is deleted, and another one of its name is created."""
    REPLACE = "replace"
    """The same in the middle of the isolation."""
    POLICY = "policy"
    """In the middle of the isolation the app is deployed anew with one more network in its policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One thing that goes wrong. What cannot happen at call *at* happens at the next one where it can."""

    kind: Kind
    at: int
    amount: int = 1

    def __str__(self) -> str:
        return f"{self.kind}@{self.at}x{self.amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run of the campaign."""

    story: Story = Story.CREATE
    seed: int = 0
    injections: tuple[Injection, ...] = ()

    def __str__(self) -> str:
        return f"{self.story}:{self.seed}:{'+'.join(str(each) for each in self.injections)}"

    @classmethod
    def parse(cls, line: str) -> "Case":
        """
        Read what `str` wrote.

        Raises:
            ValueError: It is not such a line; says what is wrong.
        """
        story, _, rest = line.strip().partition(":")
        seed, _, faults = rest.partition(":")
        if story not in set(Story) or not seed.isdecimal():
            raise ValueError(f"{line!r} is not a case: it begins with {' or '.join(Story)}, a colon and a number")
        return cls(
            story=Story(story), seed=int(seed), injections=tuple(_injection(one) for one in faults.split("+") if one)
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a run: when faults are let loose, or before the *number*-th call to Azure or to the app's own storage."""

    on: Literal["loose", "call", "store"]
    number: int = 0


def _injection(text: str) -> Injection:
    found = re.fullmatch(r"(?P<kind>[a-z-]+)@(?P<at>\d{1,6})x(?P<amount>\d{1,6})", text)
    if found is None or found["kind"] not in set(Kind):
        raise ValueError(f"{text!r} is not a fault: it reads kind@callxamount, with a kind of {', '.join(Kind)}")
    return Injection(kind=Kind(found["kind"]), at=int(found["at"]), amount=int(found["amount"]))
