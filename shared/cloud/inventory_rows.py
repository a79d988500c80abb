"""
Rows of Resource Graph as the values that the control plane's adapters make of the same documents.

What the rows of one page say is indexed here by resource id, so that putting one registry together is a matter of
look-ups. The parsing itself is the adapters': a registry must look the same whichever way it was read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.cloud import container_registries, storage_accounts
from shared.cloud.documents import Document, entries, member, resource_id, text
from shared.cloud.inventory_graph import Tally
from shared.cloud.network import endpoint_of
from shared.cloud.private_dns import link_of, record_of
from shared.cloud.virtual_networks import addresses_of
from shared.core.arm import ResourceId
from shared.core.registry import ACR_TYPE, STORAGE_TYPE, ZONE_TYPE, PrivateEndpoint, Target, Zone, ZoneLink


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A storage account or container registry; *told* says whether the row tells its public access."""

    target: Target
    told: bool


@dataclass(slots=True, kw_only=True)
class Parts:
    """Storage accounts and container registries, by id and by resource group."""

    by_id: dict[ResourceId, Part] = field(default_factory=dict)
    by_group: dict[ResourceId, list[ResourceId]] = field(default_factory=dict)

    def take_in(self, rows: Iterable[Document], tally: Tally) -> None:
        """Add packed rows."""
        for document in unpacked(rows, tally):
            part = part_of(document)
            if part is not None:
                self.by_id[part.target.id] = part
                self.by_group.setdefault(part.target.id.group, []).append(part.target.id)


@dataclass(slots=True, kw_only=True)
class Endpoints:
    """Private endpoints with their addresses (None where their interface is not in the inventory), by what they lead to."""

    by_target: dict[ResourceId, dict[ResourceId, PrivateEndpoint]] = field(default_factory=dict)
    by_target_group: dict[ResourceId, dict[ResourceId, PrivateEndpoint]] = field(default_factory=dict)

    def take_in(self, rows: Iterable[Document], tally: Tally) -> None:
        """Add packed rows."""
        for document in unpacked(rows, tally):
            endpoint = _with_addresses(document)
            if endpoint is None:
                continue
            for connection in endpoint.connections:
                self.by_target.setdefault(connection.target, {})[endpoint.id] = endpoint
                self.by_target_group.setdefault(connection.target.group, {})[endpoint.id] = endpoint

    def labels(self) -> Iterable[str]:
        """First labels of the names that the endpoints must have, lower case."""
        for endpoints in self.by_target.values():
            for endpoint in endpoints.values():
                for address in endpoint.addresses or ():
                    yield from (fqdn.lower().split(".", 1)[0] for fqdn in address.fqdns)


@dataclass(slots=True, kw_only=True)
class Zones:
    """Private DNS zones with their links and records, by id."""

    seen: set[ResourceId] = field(default_factory=set)
    links: dict[ResourceId, list[ZoneLink]] = field(default_factory=dict)
    records: dict[ResourceId, dict[str, tuple[str, ...]]] = field(default_factory=dict)

    def take_in_zones(self, rows: Iterable[Document]) -> None:
        """Add rows of zones and links."""
        for row in rows:
            identifier = resource_id(row, "id")
            if identifier is None:
                continue
            if identifier.is_type(ZONE_TYPE):
                self.seen.add(identifier)
                continue
            link = link_of(row)
            if link is not None:
                self.links.setdefault(identifier.parent, []).append(link)

    def take_in_records(self, rows: Iterable[Document], tally: Tally) -> None:
        """Add packed rows of A records."""
        for document in unpacked(rows, tally):
            identifier = resource_id(document, "id")
            if identifier is None:
                continue
            if not isinstance(member(document, "properties", "aRecords"), list):
                tally.doubt("Resource Graph shows A records without their addresses.")
            name, addresses = record_of(document)
            self.seen.add(identifier.parent)
            self.records.setdefault(identifier.parent, {})[name] = addresses

    def zone(self, wanted: ResourceId, *, links: bool) -> Zone:
        """The zone as an observation would give it, with more records than it asks for."""
        if wanted not in self.seen:
            return Zone(id=wanted, exists=False)
        found = tuple(self.links.get(wanted, ())) if links else None
        return Zone(id=wanted, exists=True, links=found, records=self.records.get(wanted, {}))

    def named(self, zone_name: str, record: str) -> tuple[frozenset[str], ...]:
        """Addresses of *record* in every zone called *zone_name*, wherever it lives."""
        return tuple(
            frozenset(records[record])
            for zone, records in self.records.items()
            if zone.name.lower() == zone_name and record in records
        )


def unpacked(rows: Iterable[Document], tally: Tally) -> Iterable[Document]:
    """The documents of packed rows; a list that came back shorter than it was packed is a doubt."""
    for row in rows:
        listed = entries(row, "rows")
        held = member(row, "held")
        if len(listed) != held:
            tally.doubt(f"Resource Graph packed {held} rows and gave {len(listed)} of them.")
        yield from listed


def part_of(document: Document) -> Part | None:
    """Read one storage account or container registry; None for anything else."""
    identifier = resource_id(document, "id")
    if identifier is None:
        return None
    told = bool(text(document, "properties", "publicNetworkAccess"))
    if identifier.is_type(STORAGE_TYPE):
        return Part(target=storage_accounts.target_of(document, identifier), told=told)
    if identifier.is_type(ACR_TYPE):
        return Part(target=container_registries.target_of(document, identifier), told=told)
    return None


def by_id(rows: Iterable[Document]) -> Mapping[ResourceId, Document]:
    """Rows by their resource id."""
    return {identifier: row for row in rows if (identifier := resource_id(row, "id"))}


def network_settings(row: Document) -> dict[str, Any]:
    """A storage account's network settings, as its target has them."""
    identifier = resource_id(row, "id")
    return {} if identifier is None else dict(storage_accounts.target_of(row, identifier).network_settings)


def _with_addresses(document: Document) -> PrivateEndpoint | None:
    endpoint = endpoint_of(document)
    configurations = member(document, "configurations")
    if endpoint is None or not isinstance(configurations, list):
        return endpoint
    return replace(endpoint, addresses=addresses_of({"properties": {"ipConfigurations": configurations}}))
