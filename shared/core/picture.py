"""
A registry's network as it was seen: doors, ways in, zones; small enough to be kept in the ledger with every pass.

Made of the same observation that the plan was made of, so a picture can never show another world than the one the app
acted upon. It judges nothing but whether names lead where they should.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from shared.core import dns
from shared.core.arm import ResourceId
from shared.core.naming import REGISTRY_TAG
from shared.core.registry import Access, ConnectionStatus, NetworkView, PrivateEndpoint, Registry, Target, TargetKind

MOST_DOORS = 40
MOST_WAYS = 60
MOST_ZONES = 30
"""What a picture holds at most, so that it fits into a ledger row beside everything else; `more` counts the rest."""
_MOST_ADDRESSES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """The public endpoint of one target."""

    target: ResourceId
    kind: TargetKind
    location: str
    access: Access
    sku: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """
    A private endpoint that leads to one target.

    Attributes:
        network: The policy's name of the network it is in.
        status: Of its connection: what the target says where both sides know it and disagree.
        state: Its `provisioningState`.
        own: The app made it.
        names: How many public names must resolve to it.
        resolving: How many of them do; None where no zone of the policy answers them.
        zones: Names of the zones that answer them.
    """

    endpoint: ResourceId
    target: ResourceId
    groups: tuple[str, ...]
    network: str
    subnet: ResourceId
    status: ConnectionStatus
    state: str
    own: bool
    addresses: tuple[str, ...] = ()
    names: int = 0
    resolving: int | None = None
    zones: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Clients can come in by it."""
        resolves = self.resolving is None or (self.names > 0 and self.resolving == self.names)
        return self.status is ConnectionStatus.APPROVED and self.state.lower() == "succeeded" and resolves


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeZone:
    """A private DNS zone; *linked* is None where no link was read or there is none."""

    zone: ResourceId
    network: str
    exists: bool
    linked: bool | None = None
    records: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What was seen at one moment; *more* things were there than a picture holds."""

    at: datetime
    doors: tuple[Door, ...]
    ways: tuple[Way, ...]
    zones: tuple[HomeZone, ...]
    more: int = 0

    @property
    def open_doors(self) -> int:
        """Targets that answer from everywhere."""
        return sum(door.access is Access.OPEN for door in self.doors)


def picture_of(registry: Registry, at: datetime) -> Picture:
    """Draw *registry* as it was observed."""
    doors = [_door(target) for target in registry.targets]
    ways = [way for view in registry.networks for way in _ways(view, registry.targets)]
    zones = [zone for view in registry.networks for zone in _zones(view)]
    kept = (tuple(doors[:MOST_DOORS]), tuple(ways[:MOST_WAYS]), tuple(zones[:MOST_ZONES]))
    more = len(doors) + len(ways) + len(zones) - sum(map(len, kept))
    return Picture(at=at, doors=kept[0], ways=kept[1], zones=kept[2], more=more)


def with_doors(picture: Picture, targets: Iterable[Target]) -> Picture:
    """*picture* with the doors of *targets* as they were seen after it; all else in it is as old as it says."""
    newer = {target.id: _door(target) for target in targets}
    return replace(picture, doors=tuple(newer.get(door.target, door) for door in picture.doors))


def _door(target: Target) -> Door:
    return Door(target=target.id, kind=target.kind, location=target.location, access=target.access, sku=target.sku)


def _ways(view: NetworkView, targets: Iterable[Target]) -> Iterator[Way]:
    by_id = {target.id: target for target in targets}
    for endpoint in view.endpoints:
        records, homeless = dns.expected_records(endpoint, tuple(view.zones))
        names = len(records) + len(homeless)
        missing = len(dns.missing_in_zones(records, view.zones)) + len(homeless)
        addresses = tuple(dict.fromkeys(address.ip for address in endpoint.addresses or ()))
        for connection in endpoint.connections:
            if connection.target not in by_id:
                continue
            yield Way(
                endpoint=endpoint.id,
                target=by_id[connection.target].id,
                groups=connection.groups,
                network=view.name,
                subnet=endpoint.subnet,
                status=_said_by(by_id[connection.target], endpoint, connection.status),
                state=endpoint.state,
                own=any(name.lower() == REGISTRY_TAG.lower() for name in endpoint.tags),
                addresses=addresses[:_MOST_ADDRESSES],
                names=names,
                resolving=names - missing if view.zones else None,
                zones=tuple(dict.fromkeys(record.zone for record in records)),
            )


def _said_by(target: Target, endpoint: PrivateEndpoint, status: ConnectionStatus) -> ConnectionStatus:
    """The endpoint's word unless it is approved there and not at the target."""
    if status is not ConnectionStatus.APPROVED:
        return status
    said = (each.status for each in target.connections if each.endpoint == endpoint.id)
    return next((other for other in said if other is not ConnectionStatus.APPROVED), status)


def _zones(view: NetworkView) -> Iterator[HomeZone]:
    networks = {endpoint.subnet.parent for endpoint in view.endpoints}
    for zone in view.zones.values():
        links = [link for link in zone.links or () if link.network in networks or not networks]
        linked = any(link.ready for link in links) if links else None
        yield HomeZone(
            zone=zone.id,
            network=view.name,
            exists=zone.exists,
            linked=linked,
            records=sum(map(bool, zone.records.values())),
        )
