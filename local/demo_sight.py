"""
What there is to see of one registry in the simulated Azure's state: its parts, endpoints, names and doors.

Pure: a state document in, a frozen picture out; `news` says in sentences what changed between two pictures. It is for
showing progress only. Whether the registry is isolated is judged by `local.demo_verdict`, which asks Azure itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

type Document = Mapping[str, Any]

_REGISTRIES = "microsoft.machinelearningservices/registries"
_STORAGE = "microsoft.storage/storageaccounts"
_CONTAINER_REGISTRIES = "microsoft.containerregistry/registries"
_ENDPOINTS = "microsoft.network/privateendpoints"
_INTERFACES = "microsoft.network/networkinterfaces"
_ZONES = "microsoft.network/privatednszones"
_LINKS = "microsoft.network/privatednszones/virtualnetworklinks"
_RECORDS = "microsoft.network/privatednszones/a"
_KINDS = {_REGISTRIES: "registry", _STORAGE: "storage account", _CONTAINER_REGISTRIES: "container registry"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The registry itself, a storage account or the container registry."""

    name: str
    kind: str
    location: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSight:
    """A private endpoint to a part."""

    name: str
    target: str
    group: str
    state: str
    approval: str
    addresses: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.state == "Succeeded" and self.approval == "Approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSight:
    """A private DNS zone; *linked* once a virtual network resolves through it."""

    name: str
    linked: bool
    records: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything about one registry at one moment."""

    managed_group: str = ""
    parts: tuple[Part, ...] = ()
    endpoints: tuple[EndpointSight, ...] = ()
    zones: tuple[ZoneSight, ...] = ()
    names: tuple[str, ...] = ()
    """What clients will ask for: the names that the endpoints' interfaces stand for."""

    @property
    def closed(self) -> bool:
        """Whether every part is there and none is open."""
        return bool(self.managed_group) and not any(part.open for part in self.parts)

    @property
    def resolved(self) -> int:
        """How many of the names have a record in a linked zone."""
        held = {
            f"{name}.{zone.name.removeprefix('privatelink.')}"
            for zone in self.zones
            if zone.linked
            for name, _ in zone.records
        }
        return sum(name in held for name in self.names)

    @property
    def gate(self) -> str:
        """How far the condition for closing public access has come."""
        ready = sum(endpoint.ready for endpoint in self.endpoints)
        return f"{ready} of {len(self.parts)} endpoints approved, {self.resolved} of {len(self.names)} names resolve"

    @property
    def gate_open(self) -> bool:
        """Whether every part has its endpoint and every name its record."""
        reached = {endpoint.target for endpoint in self.endpoints if endpoint.ready}
        everyone = bool(self.parts) and all(part.name in reached for part in self.parts)
        return everyone and bool(self.names) and self.resolved == len(self.names)


def sight(state: Document, registry_id: str) -> Sight:
    """The picture of the registry *registry_id* in the state document of the simulated Azure."""
    resources = {str(each["id"]).lower(): each for each in state["resources"]}
    registry = resources.get(registry_id.lower())
    if registry is None:
        return Sight()
    group = str((registry["properties"].get("managedResourceGroup") or {}).get("resourceId") or "")
    if not group:
        return Sight(parts=(_part(registry, "registry"),))
    members = [each for key, each in resources.items() if key.startswith(f"{group.lower()}/") and _kind(each) in _KINDS]
    parts = (registry, *members)
    targets = {str(each["id"]).lower(): str(each["name"]) for each in parts}
    endpoints = [each for each in resources.values() if _kind(each) == _ENDPOINTS and _target(each) in targets]
    return Sight(
        managed_group=group.rsplit("/", 1)[-1],
        parts=tuple(_part(each, _KINDS[_kind(each)]) for each in parts),
        endpoints=tuple(_endpoint(each, targets, resources) for each in endpoints),
        zones=tuple(_zone(each, resources) for each in resources.values() if _kind(each) == _ZONES),
        names=tuple(
            name
            for each in endpoints
            for configuration in _configurations(each, resources)
            for name in _fqdns(configuration)
        ),
    )


def news(before: Sight, after: Sight) -> Iterator[str]:
    """What happened between two pictures, a sentence each, in the order in which things follow from one another."""
    if after.managed_group and not before.managed_group:
        yield f"Azure made the registry and its managed group {after.managed_group}"
        yield from (f"found {part.kind} {part.name} in {part.location}" for part in after.parts[1:])
    yield from _endpoint_news(before, after)
    yield from _zone_news(before, after)
    if after.gate_open and not before.gate_open:
        yield f"the gate opens: {after.gate}"
    was_open = {part.name: part.open for part in before.parts}
    for part in after.parts:
        if part.open != was_open.get(part.name, True):
            yield f"public access of {part.kind} {part.name} is {'open again' if part.open else 'closed'}"


def _endpoint_news(before: Sight, after: Sight) -> Iterator[str]:
    known = {each.name: each for each in before.endpoints}
    for each in after.endpoints:
        old = known.get(each.name)
        if old is None:
            yield f"private endpoint {each.name} to {each.target} ({each.group}) begins"
        if each.ready and not (old and old.ready):
            yield f"private endpoint {each.name} is approved at {', '.join(each.addresses)}"
        elif old and (old.state, old.approval) != (each.state, each.approval):
            yield f"private endpoint {each.name} is {each.state}, {each.approval}"
    there = {each.name for each in after.endpoints}
    yield from (f"private endpoint {name} is gone" for name in known if name not in there)


def _zone_news(before: Sight, after: Sight) -> Iterator[str]:
    known = {each.name: each for each in before.zones}
    for each in after.zones:
        old = known.get(each.name)
        if old is None:
            yield f"private DNS zone {each.name} is there"
        if each.linked and not (old and old.linked):
            yield f"private DNS zone {each.name} is linked to the network"
        held = dict(old.records) if old else {}
        for name, addresses in each.records:
            if held.get(name) != addresses:
                yield f"record {name} in {each.name} is {', '.join(addresses)}"


def _kind(resource: Document) -> str:
    return str(resource.get("type")).lower()


def _part(resource: Document, kind: str) -> Part:
    access = str(resource["properties"].get("publicNetworkAccess") or "Enabled")
    return Part(name=resource["name"], kind=kind, location=resource["location"], open=access.lower() != "disabled")


def _connection(endpoint: Document) -> Document:
    properties = endpoint["properties"]
    connections = [*properties["privateLinkServiceConnections"], *properties["manualPrivateLinkServiceConnections"]]
    found: Document = connections[0]["properties"]
    return found


def _target(endpoint: Document) -> str:
    return str(_connection(endpoint)["privateLinkServiceId"]).lower()


def _configurations(endpoint: Document, resources: Mapping[str, Document]) -> Iterator[Document]:
    for reference in endpoint["properties"]["networkInterfaces"]:
        interface = resources.get(str(reference["id"]).lower())
        if interface is not None:
            yield from (each["properties"] for each in interface["properties"]["ipConfigurations"])


def _fqdns(configuration: Document) -> list[str]:
    return list((configuration.get("privateLinkConnectionProperties") or {}).get("fqdns") or ())


def _endpoint(endpoint: Document, targets: Mapping[str, str], resources: Mapping[str, Document]) -> EndpointSight:
    connection = _connection(endpoint)
    return EndpointSight(
        name=endpoint["name"],
        target=targets[_target(endpoint)],
        group=str(connection["groupIds"][0]),
        state=endpoint["properties"]["provisioningState"],
        approval=connection["privateLinkServiceConnectionState"]["status"],
        addresses=tuple(str(each["privateIPAddress"]) for each in _configurations(endpoint, resources)),
    )


def _zone(zone: Document, resources: Mapping[str, Document]) -> ZoneSight:
    inside = [each for key, each in resources.items() if key.startswith(f"{str(zone['id']).lower()}/")]
    links = [each["properties"].get("virtualNetworkLinkState") for each in inside if _kind(each) == _LINKS]
    records = [each for each in inside if _kind(each) == _RECORDS]
    return ZoneSight(
        name=zone["name"],
        linked="Completed" in links,
        records=tuple(
            (str(each["name"]), tuple(entry["ipv4Address"] for entry in each["properties"]["aRecords"]))
            for each in records
        ),
    )
