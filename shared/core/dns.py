"""
Which names must resolve where, and whether they do.

An endpoint's network interface says which public names belong to which private address. Private DNS answers them from
the zone `privatelink.<suffix>` under the name that stands before `<suffix>`. A name is ready when its record holds the
interface's address and nothing else; what a zone group reports of itself is not proof (it may be Succeeded and empty).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.core.arm import ResourceId
from shared.core.registry import PrivateEndpoint, Zone

_PREFIX = "privatelink."
_ZONE_NAME = re.compile(r"privatelink(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){2,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRecord:
    """Record *name* of zone *zone* must hold exactly *addresses*, so that *fqdn* resolves privately."""

    zone: str
    name: str
    fqdn: str
    addresses: frozenset[str]


def is_zone_name(name: str) -> bool:
    """Tell whether *name* is the name of a private link zone and nothing that could mean something else in a URL."""
    return _ZONE_NAME.fullmatch(name.lower()) is not None


def record_name(fqdn: str, zone: str) -> str | None:
    """Name of *fqdn*'s record in *zone*, lower case, or None when the zone does not serve it."""
    name, suffix = fqdn.lower().rstrip("."), zone.lower().removeprefix(_PREFIX)
    for tail in (f".{_PREFIX}{suffix}", f".{suffix}"):
        if name.endswith(tail) and len(name) > len(tail):
            return name.removesuffix(tail)
    return None


def expected_records(
    endpoint: PrivateEndpoint, zones: Iterable[str]
) -> tuple[tuple[ExpectedRecord, ...], tuple[str, ...]]:
    """List the records that *endpoint* needs in *zones*, and the names that no zone serves.

    Returns:
        (records sorted by zone and name, names without a zone sorted); both () when the addresses were not read.
    """
    by_fqdn: dict[str, set[str]] = {}
    for address in endpoint.addresses or ():
        for fqdn in address.fqdns:
            by_fqdn.setdefault(fqdn.lower().rstrip("."), set()).add(address.ip)
    records, homeless = [], []
    for fqdn, addresses in by_fqdn.items():
        home = next(((zone, name) for zone in zones if (name := record_name(fqdn, zone))), None)
        if home is None:
            homeless.append(fqdn)
        else:
            records.append(ExpectedRecord(zone=home[0], name=home[1], fqdn=fqdn, addresses=frozenset(addresses)))
    return tuple(sorted(records, key=lambda record: (record.zone, record.name))), tuple(sorted(homeless))


def missing_in_zones(records: Iterable[ExpectedRecord], zones: Mapping[str, Zone]) -> tuple[ExpectedRecord, ...]:
    """Those of *records* that the zones (by name, lower case) do not hold exactly."""
    return tuple(record for record in records if frozenset(_held(record, zones)) != record.addresses)


def missing_in_report(
    records: Iterable[ExpectedRecord], reported: Mapping[str, tuple[str, ...]]
) -> tuple[ExpectedRecord, ...]:
    """Those of *records* that a zone group does not report (public or privatelink name to addresses)."""
    seen = {name.lower().rstrip("."): frozenset(addresses) for name, addresses in reported.items()}
    return tuple(
        record
        for record in records
        if record.addresses not in (seen.get(record.fqdn), seen.get(f"{record.name}.{record.zone}"))
    )


def linked(zone: Zone, network: ResourceId) -> bool | None:
    """True when the zone's link to *network* is complete, False while it is being made, None when there is none."""
    links = [link for link in zone.links or () if link.network == network]
    if not links:
        return None
    return any(link.ready for link in links)


def _held(record: ExpectedRecord, zones: Mapping[str, Zone]) -> tuple[str, ...]:
    zone = zones.get(record.zone.lower())
    return () if zone is None else zone.records.get(record.name, ())
