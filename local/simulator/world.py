"""
The state of the simulated Azure: resources by lower-cased id, with indexes by parent and by type.

Rules change a resource's `body` in place; answers are serialised at once, so nothing leaks. Names and GUIDs are drawn
from one seeded source: the same calls at the same times make the same world.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from local.simulator import arm_ids
from local.simulator.transitions import Agenda, Transition
from local.simulator.wire import JsonObject

EPOCH = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_HEX = "0123456789abcdef"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@dataclass(slots=True, kw_only=True)
class Resource:
    """
    One resource.

    `body` is the wire JSON (id, name, type, location, tags, properties, etag, ...). `private` is for its provider alone
    and never leaves the simulator, except in a dump of the world.
    """

    id: str
    type: str
    body: JsonObject
    created: datetime
    changed: datetime
    private: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.body.get("name") or arm_ids.parse(self.id).name)

    @property
    def properties(self) -> JsonObject:
        """`body["properties"]`, made when absent."""
        found: JsonObject = self.body.setdefault("properties", {})
        return found

    @property
    def location(self) -> str:
        return str(self.body.get("location") or "")

    @property
    def key(self) -> str:
        """The lower-cased id."""
        return self.id.lower()


class World:
    """Resources and their indexes. Ids may be given in any casing everywhere."""

    def __init__(self, *, seed: int = 0, start: datetime = EPOCH) -> None:
        self.now = start
        self.agenda = Agenda()
        self.resources: dict[str, Resource] = {}
        self._random = random.Random(seed)
        self._noise = random.Random(seed + 1)
        self._children: dict[str, dict[str, dict[str, None]]] = {}
        self._by_type: dict[str, dict[str, None]] = {}
        self._by_subscription: dict[tuple[str, str], dict[str, None]] = {}
        self._removal_listeners: list[Callable[[Resource], None]] = []
        self._change_listeners: list[Callable[[str], None]] = []
        self._moment_listeners: list[Callable[[], None]] = []

    # -- reading -----------------------------------------------------------------------------------------------------

    def get(self, resource_id: str) -> Resource | None:
        return self.resources.get(resource_id.lower().rstrip("/"))

    def children(self, parent_id: str, kind: str = "") -> Iterator[Resource]:
        """Direct children (a group's resources, a network's subnets), oldest first; of one type if *kind* is given."""
        kinds = self._children.get(parent_id.lower().rstrip("/"), {})
        wanted = [kinds.get(kind.lower(), {})] if kind else list(kinds.values())
        for keys in wanted:
            for key in list(keys):
                yield self.resources[key]

    def of_type(self, kind: str, subscription: str = "") -> Iterator[Resource]:
        """Every resource of one type, in one subscription or everywhere, oldest first."""
        keys = (
            self._by_subscription.get((subscription.lower(), kind.lower()), {})
            if subscription
            else self._by_type.get(kind.lower(), {})
        )
        for key in list(keys):
            yield self.resources[key]

    def below(self, scope: str) -> Iterator[Resource]:
        """Everything under *scope* at any depth, parents before children."""
        for child in self.children(scope):
            yield child
            yield from self.below(child.key)

    # -- writing -----------------------------------------------------------------------------------------------------

    def put(self, body: JsonObject, *, private: dict[str, Any] | None = None) -> Resource:
        """
        Add or replace the resource that `body["id"]` names.

        `name` and `type` are filled in from the id when the body lacks them. A replaced resource keeps its moment of
        creation, its place in listings and, unless *private* is given, its private state.
        """
        resource_id = str(body["id"])
        parts = arm_ids.parse(resource_id)
        body.setdefault("name", parts.name)
        body.setdefault("type", parts.type)
        key = resource_id.lower()
        known = self.resources.get(key)
        if known is not None:
            known.body, known.changed = body, self.now
            known.private = known.private if private is None else private
            self.note(key)
            return known
        resource = Resource(
            id=resource_id, type=parts.type, body=body, created=self.now, changed=self.now, private=private or {}
        )
        self.resources[key] = resource
        kind = parts.type.lower()
        self._children.setdefault(parts.parent, {}).setdefault(kind, {})[key] = None
        self._by_type.setdefault(kind, {})[key] = None
        self._by_subscription.setdefault((parts.subscription.lower(), kind), {})[key] = None
        self.note(key)
        return resource

    def touch(self, resource: Resource) -> None:
        """Note that a rule has changed the resource's body in place."""
        resource.changed = self.now
        self.note(resource.key)

    def note(self, key: str) -> None:
        """Tell listeners that the resource of that lower-cased id is new, changed or gone."""
        for listener in self._change_listeners:
            listener(key)

    def delete(self, resource_id: str) -> list[Resource]:
        """Remove a resource and everything below it, children first; what was removed, the resource itself last."""
        resource = self.get(resource_id)
        if resource is None:
            return []
        removed = [gone for child in list(self.children(resource.key)) for gone in self.delete(child.key)]
        parts = arm_ids.parse(resource.id)
        kind, key = parts.type.lower(), resource.key
        if key not in self.resources:
            return removed
        del self.resources[key]
        self._forget(self._children[parts.parent], kind, key)
        if not self._children[parts.parent]:
            del self._children[parts.parent]
        self._by_type[kind].pop(key, None)
        self._by_subscription[parts.subscription.lower(), kind].pop(key, None)
        for listener in self._removal_listeners:
            listener(resource)
        self.note(key)
        return [*removed, resource]

    @staticmethod
    def _forget(kinds: dict[str, dict[str, None]], kind: str, key: str) -> None:
        kinds[kind].pop(key, None)
        if not kinds[kind]:
            del kinds[kind]

    def on_removal(self, listener: Callable[[Resource], None]) -> None:
        """Call *listener* after each resource that leaves the world, whatever removed it."""
        self._removal_listeners.append(listener)

    def on_change(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with the lower-cased id of whatever is written, noted or removed."""
        self._change_listeners.append(listener)

    # -- time and chance ---------------------------------------------------------------------------------------------

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due by *now*, in order."""
        while (due := self.agenda.take(now)) is not None:
            at, transition = due
            self._move_to(at)
            transition(at)
        self._move_to(now)

    def _move_to(self, moment: datetime) -> None:
        if moment > self.now:
            for listener in self._moment_listeners:
                listener()
            self.now = moment

    def on_moment_end(self, listener: Callable[[], None]) -> None:
        """Call *listener* before time moves on from a moment in which something may have happened."""
        self._moment_listeners.append(listener)

    def later(self, seconds: float, transition: Transition) -> datetime:
        """Run *transition(at)* after that many seconds of virtual time; returns the moment *at*."""
        at = self.now + timedelta(seconds=seconds)
        self.agenda.later(at, transition)
        return at

    def guid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def hex(self, length: int) -> str:
        """Random lower-case hexadecimal text, as in the generated names of a registry's storage accounts."""
        return "".join(self._random.choices(_HEX, k=length))

    def token(self, length: int) -> str:
        """Random URL-safe text, as in the signature of an operation URL. Does not disturb names and GUIDs."""
        return "".join(self._noise.choices(_ALPHABET, k=length))

    def trace_id(self) -> str:
        """A GUID for request ids and entity tags. Does not disturb names and GUIDs, however many reads there are."""
        return str(UUID(int=self._noise.getrandbits(128), version=4))

    def etag(self) -> str:
        """A weak entity tag in the form of Microsoft.Network: W/"guid"."""
        return f'W/"{self.trace_id()}"'
