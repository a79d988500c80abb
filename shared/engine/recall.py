"""
What one chain of passes has just read and need not read again.

Between the pass that verifies everything and closes, and the one that finds Azure to have followed, lie a few minutes in
which the app has done nothing to names. They are not read again then: the second look, a quarter of an hour after every
closing, reads everything. The same goes for the list of the managed group, which is only there to be compared. Everything
that decides a closing is read by the pass that closes.

Lives in the process and is bounded: another process, another request, or five minutes later, everything is read. Only the
names of the zones that a kind of target needs are Azure's constants, and kept for a day.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.registry import Address, Target, TargetKind, Zone
from shared.engine.ports import Clock, ZoneQuery

FRESH = timedelta(minutes=5)
"""How old an answer may be that is used again."""
DAY = timedelta(days=1)
_REMEMBERED = 1024
"""Registries; an answer is a few kilobytes."""


@dataclass(slots=True, kw_only=True)
class Answers:
    """Answers of Azure, with the moment from which they count."""

    generation: int
    listed: tuple[ResourceId, ...] | None = None
    listed_at: datetime | None = None
    addresses: dict[ResourceId, tuple[Address, ...]] = field(default_factory=dict)
    zones: dict[ZoneQuery, Zone] = field(default_factory=dict)
    names_at: datetime | None = None


class ZoneNames:
    """Group id to zone names, as the last target of each kind that was asked said."""

    def __init__(self) -> None:
        self._told: dict[TargetKind, tuple[datetime, Mapping[str, tuple[str, ...]]]] = {}

    def of(self, kind: TargetKind, now: datetime) -> Mapping[str, tuple[str, ...]] | None:
        """What one of *kind* said within the last day."""
        at, names = self._told.get(kind, (None, {}))
        return names if at is not None and now - at <= DAY else None

    def note(self, kind: TargetKind, now: datetime, names: Mapping[str, tuple[str, ...]]) -> None:
        """One of *kind* was asked; an answer without names is none."""
        if names:
            self._told[kind] = (now, names)


class Recollection:
    """
    What one observation may use again, and what it reads itself.

    Args:
        earlier: Of the same chain; None if there is nothing.
        names: Whether addresses and zones may be used again.
        since: Those read before this moment are stale, because an event told of a change; None if none did.
        targets: Targets that this very pass has read already.
        zone_names: Of the process.
        names_since: Records that are read must have been read no earlier; None: by this very observation.
        links_since: The same for links.
        first_since: From when on shared answers do while nothing leads to the registry yet; None if it was seen before.
    """

    def __init__(
        self,
        now: datetime,
        generation: int,
        earlier: Answers | None,
        targets: Sequence[Target],
        *,
        names: bool,
        zone_names: ZoneNames,
        since: datetime | None = None,
        names_since: datetime | None = None,
        links_since: datetime | None = None,
        first_since: datetime | None = None,
    ) -> None:
        self.now = now
        self.first_since = first_since
        self.names_since = names_since
        self.links_since = links_since
        self._earlier = earlier
        self._zone_names = zone_names
        self._targets = {target.id: target for target in targets}
        self._names = names and earlier is not None and _is_fresh(earlier.names_at, now, since)
        self.answers = Answers(generation=generation)

    def target(self, target: ResourceId) -> Target | None:
        """A target that this pass has read."""
        return self._targets.get(target)

    def zone_names(self, kind: TargetKind) -> Mapping[str, tuple[str, ...]] | None:
        """Group id to zone names, if a target of this kind was asked today."""
        return self._zone_names.of(kind, self.now)

    def note_zone_names(self, kind: TargetKind, names: Mapping[str, tuple[str, ...]]) -> None:
        """A target of this kind was asked."""
        self._zone_names.note(kind, self.now, names)

    def listed(self) -> tuple[ResourceId, ...] | None:
        """The managed group's list, if it is fresh."""
        if self._earlier is None or not _is_fresh(self._earlier.listed_at, self.now):
            return None
        self.answers.listed, self.answers.listed_at = self._earlier.listed, self._earlier.listed_at
        return self._earlier.listed

    def note_listed(self, listed: tuple[ResourceId, ...]) -> None:
        """The list was read."""
        self.answers.listed, self.answers.listed_at = listed, self.now

    def addresses(self, interfaces: Sequence[ResourceId]) -> Mapping[ResourceId, tuple[Address, ...]] | None:
        """Addresses of *interfaces*; None unless those of all of them are known."""
        known = self._earlier.addresses if self._names and self._earlier else {}
        if not all(interface in known for interface in interfaces):
            self._names = False  # something is new here, so its names are as well
            return None
        return known

    def note_addresses(self, addresses: Mapping[ResourceId, tuple[Address, ...]]) -> None:
        """Addresses were read."""
        self.answers.addresses.update(addresses)

    def zones(self, queries: Sequence[ZoneQuery]) -> Mapping[ResourceId, Zone] | None:
        """What *queries* gave; None unless all of them were made before, about these very names."""
        known = self._earlier.zones if self._names and self._earlier else {}
        if not all(query in known for query in queries):
            return None
        if self._earlier is not None and self._earlier.names_at is not None:
            self.answers.names_at = self._earlier.names_at
            self.answers.addresses.update(self._earlier.addresses)
            self.answers.zones.update({query: known[query] for query in queries})
        return {query.zone: known[query] for query in queries}

    def note_zones(self, queries: Sequence[ZoneQuery], zones: Mapping[ResourceId, Zone]) -> None:
        """Zones were read."""
        self.answers.zones.update({query: zones[query.zone] for query in queries})

    @classmethod
    def nothing(cls) -> "Recollection":
        """Everything is to be read."""
        return cls(datetime.min.replace(tzinfo=UTC), 0, None, (), names=False, zone_names=ZoneNames())


class Recall:
    """Answers of every chain that runs through this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: OrderedDict[str, Answers] = OrderedDict()
        self._zone_names = ZoneNames()

    def begin(
        self,
        registry: ResourceId,
        generation: int,
        *,
        names: bool,
        targets: Sequence[Target] = (),
        since: datetime | None = None,
        names_since: datetime | None = None,
        links_since: datetime | None = None,
        first_since: datetime | None = None,
    ) -> Recollection:
        """Begin an observation of *registry* for the request *generation*."""
        earlier = self._answers.get(registry.key)
        same = earlier if earlier is not None and earlier.generation == generation else None
        now, told = self._clock.now(), self._zone_names
        return Recollection(
            now,
            generation,
            same,
            targets,
            names=names,
            zone_names=told,
            since=since,
            names_since=names_since,
            links_since=links_since,
            first_since=first_since,
        )

    def zones_of(self, registry: ResourceId) -> tuple[ResourceId, ...]:
        """Zones that the last observation of *registry* asked for; () if this process made none."""
        answers = self._answers.get(registry.key)
        return tuple(dict.fromkeys(query.zone for query in answers.zones)) if answers is not None else ()

    def recalls_names(self, registry: ResourceId, generation: int, since: datetime | None) -> bool:
        """Tell whether an observation that may use names again would find them."""
        answers = self._answers.get(registry.key)
        same = answers is not None and answers.generation == generation
        return same and answers is not None and _is_fresh(answers.names_at, self._clock.now(), since)

    def keep(self, registry: ResourceId, recollection: Recollection, *, verified: bool) -> None:
        """Keep what *recollection* read; its names only if they were *verified*."""
        answers = recollection.answers
        if not verified or not answers.zones:
            answers.names_at = None
        elif answers.names_at is None:
            answers.names_at = recollection.now
        self._answers[registry.key] = answers
        self._answers.move_to_end(registry.key)
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)


def _is_fresh(moment: datetime | None, now: datetime, since: datetime | None = None) -> bool:
    return moment is not None and now - moment <= FRESH and (since is None or moment > since)
