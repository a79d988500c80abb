"""
One read of a zone for every registry of this process that waits for it.

Private DNS allows 500 reads in five minutes and a registry needs half a dozen, so a few dozen registries at once use them
up. A read of a whole zone costs little more than the read of one name and answers for all of them. What makes sharing safe
is the question's `since`: an answer counts only if its reading began no earlier than that moment, at which the asker had
already seen Azure finish what it asks about; and never if it is older than `MAX_AGE`. A question without `since` is never
answered from a shared read.

The fewer reads are left, the longer the pause between two reads of one zone. Whoever comes in between is told when the
next one is due: that is when everybody else comes as well.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.cloud.concurrency import for_each
from shared.cloud.private_dns import Listing, PrivateDns
from shared.cloud.shared_look import Look, begin_look
from shared.cloud.zone_presence import ZonePresence
from shared.core.arm import ResourceId
from shared.core.azure_limits import ZONE_READS, bucket
from shared.core.registry import Zone, ZoneLink
from shared.engine.ports import ZoneQuery
from shared.engine.throttle import Throttle, refusal

MAX_AGE = timedelta(seconds=30)
"""Oldest shared answer about names that anybody gets."""
LINKS_AGE = timedelta(minutes=2)
"""The same for links alone, and only while Private DNS refuses more reads: no closing follows from them."""
_ACTIVE = timedelta(minutes=1)
_REMEMBERED = 1024
_LONGEST_PAUSE = timedelta(minutes=2)
# Beyond the refill, so that a little is left for those who create zones.
_SPARE = 1.25


@dataclass(slots=True)
class _Known:
    """
    What is known of one zone.

    Attributes:
        pages: How many a list of it has, at least.
        askers: How many were told to come back for the next read.
    """

    records: Look[Listing | None] | None = None
    links: Look[tuple[ZoneLink, ...] | None] | None = None
    pages: int = 1
    askers: int = 0
    last: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))


class SharedZones:
    """Zones of one cloud as this process sees them."""

    def __init__(self, dns: PrivateDns, throttle: Throttle, now: Callable[[], datetime]) -> None:
        self._dns = dns
        self._throttle = throttle
        self._now = now
        self._zones: OrderedDict[str, _Known] = OrderedDict()
        self._presence = ZonePresence(dns, now, MAX_AGE)

    async def read_all(self, queries: Sequence[ZoneQuery]) -> list[Zone]:
        """
        Read what each of *queries* asks, in their order; those of one resource group that do not exist by one call.

        Raises:
            Throttled: As `read`.
        """
        absent = await self._presence.absent(queries)

        async def read(query: ZoneQuery) -> Zone:
            zone = Zone(id=query.zone, exists=False) if query.zone in absent else await self.read(query)
            self._presence.note(query.zone, exists=zone.exists)
            return zone

        return await for_each(queries, read)

    async def read(self, query: ZoneQuery) -> Zone:
        """
        Read what *query* asks of a zone; the cheapest read that also tells whether the zone exists.

        Raises:
            Throttled: The next read is not due; it tells when it is.
        """
        zone = query.zone
        absent = Zone(id=zone, exists=False)
        records: dict[str, tuple[str, ...]] = {}
        if query.records:
            listing = await self._records(query)
            if listing is None:
                return absent
            records = listing.of(query.records)
        links: tuple[ZoneLink, ...] | None = None
        if query.links:
            links = await self._links(zone, query.links_since, lenient=not query.records)
            if links is None:
                return absent
        if not query.records and not query.links and await self._dns.zone_state(zone) is None:
            return absent
        return Zone(id=zone, exists=True, links=links, records=records)

    def note_present(self, zone: ResourceId) -> None:
        """Somebody has seen that *zone* exists, by other means."""
        self._presence.note(zone, exists=True)

    async def link_state(self, link: ResourceId) -> str | None:
        """State of a link, by a list that others may use as well; None if there is no such link."""
        links = await self._links(link.parent, self._now(), lenient=False)
        found = next((each for each in links or () if each.id == link), None)
        if found is None:
            return None
        return "Succeeded" if found.ready else found.state

    def due(self, zones: Sequence[ResourceId], since: datetime) -> datetime | None:
        """When all of *zones* can be read by one who needs answers from after *since*; None for now. Counts the asker."""
        waits = []
        for zone in zones:
            known = self._known(zone)
            if self._serves(known.records, since) and self._serves(known.links, since):
                continue
            turn = self._turn(zone, known)
            if turn > self._now():
                known.askers += 1
                waits.append(turn)
        return max(waits, default=None)

    async def _records(self, query: ZoneQuery) -> Listing | None:
        known = self._known(query.zone)
        look = known.records
        if look is not None and self._serves(look, query.since):
            listing = await look.answer()
            if listing is None or listing.knows(query.records):
                return listing
        self._demand_turn(query.zone, known, query.since)
        most = len(query.records) * (1 + known.askers)
        names, whole = query.records, known.pages <= most
        known.askers = 0
        look = known.records = begin_look(
            lambda: self._dns.records(query.zone, names, most if whole else 0), self._now()
        )
        known.last = look.began
        listing = await look.answer()
        if listing is not None and whole:
            known.pages = listing.pages
        return listing

    async def _links(self, zone: ResourceId, since: datetime | None, *, lenient: bool) -> tuple[ZoneLink, ...] | None:
        known = self._known(zone)
        look = known.links
        if look is not None and self._serves(look, since):
            return await look.answer()
        young = look is not None and not look.failed() and look.began >= self._now() - LINKS_AGE
        if look is not None and lenient and young and self._throttle.pressure(bucket(ZONE_READS, zone.subscription)):
            return await look.answer()
        look = known.links = begin_look(lambda: self._dns.links(zone), self._now())
        return await look.answer()

    def _serves[Answer](self, look: Look[Answer] | None, since: datetime | None) -> bool:
        return look is not None and look.serves(since, self._now(), MAX_AGE)

    def _demand_turn(self, zone: ResourceId, known: _Known, since: datetime | None) -> None:
        turn = self._turn(zone, known)
        now = self._now()
        if since is not None and turn > now:
            known.askers += 1
            raise refusal(bucket(ZONE_READS, zone.subscription), (turn - now).total_seconds())

    def _turn(self, zone: ResourceId, known: _Known) -> datetime:
        """
        When the next read of *zone* may begin.

        With nothing left, all the zones that are being read take together what is refilled.
        """
        reads = bucket(ZONE_READS, zone.subscription)
        pressure = self._throttle.pressure(reads)
        if not pressure or known.records is None:
            return known.last
        active = sum(each.last > self._now() - _ACTIVE for each in self._zones.values())
        cost = (known.pages + 1) * max(1, active)
        pause = timedelta(seconds=pressure * _SPARE * cost / self._throttle.refill(reads))
        return known.last + min(pause, _LONGEST_PAUSE)

    def _known(self, zone: ResourceId) -> _Known:
        known = self._zones.setdefault(zone.key, _Known())
        self._zones.move_to_end(zone.key)
        if len(self._zones) > _REMEMBERED:
            self._zones.popitem(last=False)
        return known
