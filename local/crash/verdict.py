"""
What a trial's end is held against: the end of the same story in which nobody was killed.

Looks at the simulated Azure's world and at its log, with no code of the product.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.simulator.azure import SimulatedAzure
from local.simulator.world import Resource
from local.stage_scene import APP_PRINCIPAL

_TOPIC = "/api/events"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RANDOM = re.compile(r"[0-9a-f]{8,}|\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """
    What is left when it is quiet.

    Attributes:
        resources: How many of each kind in each state.
        writes: What the app wrote with success, and how often; names of what is random left out.
        told: Types of the outcome events, each event once.
        problems: What is wrong whoever was killed.
    """

    resources: Mapping[str, int]
    writes: Mapping[str, int]
    told: Mapping[str, int]
    problems: tuple[str, ...] = field(default=())


def ending_of(azure: SimulatedAzure, name: str, logged: int, problems: Iterable[str]) -> Ending:
    """
    Look at the world.

    Args:
        logged: Length of the log when the story began.
        problems: What the story itself finds wrong in its end.
    """
    return Ending(
        resources=Counter(_described(each, name) for each in azure.world.resources.values()),
        writes=Counter(_writes(azure, name, logged)),
        told=Counter(_told(azure)),
        problems=tuple(problems),
    )


def differences(ours: Ending, undisturbed: Ending, spared: frozenset[str] = frozenset()) -> list[str]:
    """Give what is wrong with *ours*, one sentence each; writes that are *spared* may be missing."""
    found = list(ours.problems)
    found += _more_and_less(ours.resources, undisturbed.resources, "In the end there are")
    for what, count in ours.writes.items():
        if what not in undisturbed.writes:
            found.append(f"{what} was written {count} times, and is not when nobody is killed.")
    found += [f"{what} was never written." for what in undisturbed.writes if what not in {*ours.writes, *spared}]
    found += _more_and_less(ours.told, undisturbed.told, "Listeners were told")
    return found


def repeats(ours: Ending, undisturbed: Ending) -> tuple[str, ...]:
    """Writes that took effect more often than when nobody is killed."""
    return tuple(what for what, count in ours.writes.items() if count > undisturbed.writes.get(what, count))


def _more_and_less(ours: Mapping[str, int], theirs: Mapping[str, int], said: str) -> list[str]:
    return [
        f"{said} {ours.get(what, 0)} of {what}, not {theirs.get(what, 0)}."
        for what in {**ours, **theirs}
        if ours.get(what, 0) != theirs.get(what, 0)
    ]


def _described(resource: Resource, name: str) -> str:
    properties = resource.properties
    states = {
        key: properties[key] for key in ("provisioningState", "publicNetworkAccess", "networkAcls") if key in properties
    }
    told = json.dumps(states, sort_keys=True).replace(name, "NAME")
    return f"{resource.type} {told}"


def _writes(azure: SimulatedAzure, name: str, logged: int) -> Iterator[str]:
    for call in azure.log[logged:]:
        path = urlsplit(call.url).path
        if call.kind != "write" or call.principal != APP_PRINCIPAL or call.status >= 300 or path.endswith(_TOPIC):
            continue
        yield f"{call.method} {_nameless(path, name)}"


def _nameless(path: str, name: str) -> str:
    """The last names of a path, without what differs from world to world."""
    short = path.lower().rpartition("/providers/")[2].replace(name.lower(), "NAME")
    return _RANDOM.sub("*", _GUID.sub("*", short))


def _told(azure: SimulatedAzure) -> Iterator[str]:
    """Each outcome event once: a topic may get it again under the same id, by which listeners know it."""
    seen: set[str] = set()
    for _, _, event in azure.events.received:
        document = event.as_cloud_event()
        if document["id"] not in seen:
            seen.add(document["id"])
            yield str(document["type"])
