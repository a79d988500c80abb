"""
Observed worlds and policies for the tests of core, each in a line a person can read.

Everything belongs to one registry, `alpha`, unless a test says otherwise. Names say what a thing is (`stwesteurope0`),
addresses and public names follow from ids, so that a test never has to spell them.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.core.arm import ResourceId
from shared.core.clouds import CLOUDS
from shared.core.endpoints import WantedEndpoint, wanted_endpoints
from shared.core.lockdown import Memory
from shared.core.naming import endpoint_tags, zone_config_name
from shared.core.plan import Plan
from shared.core.planner import make_plan, serving_networks
from shared.core.policy import IsolationPolicy, Network
from shared.core.registry import (
    ACR_TYPE,
    ENDPOINT_TYPE,
    REGISTRY_TYPE,
    STORAGE_TYPE,
    Access,
    Address,
    Connection,
    ConnectionStatus,
    EndpointConnection,
    NetworkView,
    PrivateEndpoint,
    Registry,
    RegistryDocument,
    RegistryRegion,
    Subnet,
    Target,
    TargetKind,
    Zone,
    ZoneGroup,
    ZoneLink,
)

SUB = "11111111-2222-4333-8444-555555555555"
GUID = "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
ZONES = CLOUDS["AzureCloud"].zones
ACR_NAME = "acralpha"
ZONE_HOME = "rg-dns"


def group_id(name: str) -> ResourceId:
    return ResourceId.parse(f"/subscriptions/{SUB}/resourceGroups/{name}")


def registry_id(name: str = "alpha") -> ResourceId:
    return group_id("rg-ml").resource(REGISTRY_TYPE, name)


MANAGED = group_id(f"azureml-rg-alpha_{GUID}")


def subnet_id(network: str = "hub", subnet: str = "endpoints") -> ResourceId:
    vnet = group_id(f"rg-{network}").resource("Microsoft.Network/virtualNetworks", f"vnet-{network}")
    return vnet.child("subnets", subnet)


def zone_id(name: str, home: str = ZONE_HOME) -> ResourceId:
    return group_id(home).resource("Microsoft.Network/privateDnsZones", name)


# --- policies ---------------------------------------------------------------------------------------------------------


def a_network(name: str = "hub", *, zones: str = ZONE_HOME, serves: Any = None, **dns: Any) -> dict[str, Any]:
    """A network of the policy document; *zones* is the resource group of its zones, "" means dns.manage false."""
    where = {"zones_resource_group": group_id(zones).text, **dns} if zones else {"manage": False}
    return {"name": name, "subnet": subnet_id(name).text, "dns": where, "serves": serves or {}}


def a_policy(*networks: dict[str, Any], **sections: Any) -> IsolationPolicy:
    """Enforce everything, in network `hub` unless other ones are given."""
    document = {
        "version": 1,
        "mode": "enforce",
        "scope": {"subscriptions": [SUB]},
        "networks": networks or (a_network(),),
        **sections,
    }
    return IsolationPolicy.from_document(document)


def only(*kinds: str, **targets: Any) -> dict[str, Any]:
    """The `targets` section that asks endpoints of *kinds* alone and keeps the public access of the others."""
    left = {"endpoint": False, "public_access": "keep"}
    return {kind.value: targets.get(kind.value, {} if kind.value in kinds else left) for kind in TargetKind}


# --- the registry -----------------------------------------------------------------------------------------------------


def storage_name(region: str, number: int = 0) -> str:
    return f"st{region}{number}"


def a_registry(
    policy: IsolationPolicy,
    *,
    name: str = "alpha",
    regions: Iterable[str] = ("westeurope",),
    storages: int = 1,
    acrs: Mapping[str, str] | None = None,
) -> Registry:
    """A registry that Azure has just finished: everything open, nothing private yet; *acrs* maps region to ACR name."""
    entries = tuple(
        RegistryRegion(
            location=region,
            storage_accounts=tuple(
                MANAGED.resource(STORAGE_TYPE, storage_name(region, number)) for number in range(storages)
            ),
            container_registries=(MANAGED.resource(ACR_TYPE, (acrs or {}).get(region, ACR_NAME)),),
        )
        for region in regions
    )
    first = entries[0].location
    own = Target(kind=TargetKind.REGISTRY, id=registry_id(name), location=first, access=Access.OPEN)
    accounts = [
        Target(kind=TargetKind.STORAGE, id=account, location=entry.location, access=Access.OPEN, provisioning=DONE)
        for entry in entries
        for account in entry.storage_accounts
    ]
    acr_ids = dict.fromkeys(acr for entry in entries for acr in entry.container_registries)
    acr_targets = [
        Target(kind=TargetKind.ACR, id=acr, location=first, access=Access.OPEN, provisioning=DONE, sku="Premium")
        for acr in acr_ids
    ]
    registry = Registry(
        document=RegistryDocument(target=own, managed_group=MANAGED, regions=entries, complete=True),
        managed_group=MANAGED,
        targets=(own, *accounts, *acr_targets),
        networks=(),
    )
    return replace(registry, networks=tuple(a_view(network) for network in serving_networks(registry, policy)))


DONE = "Succeeded"


def a_view(network: Network, free: int | None = 200) -> NetworkView:
    """An empty, usable subnet and no zones at all."""
    return NetworkView(name=network.name, subnet=Subnet(id=network.subnet, location="westeurope", free_addresses=free))


def with_target(registry: Registry, kind: TargetKind, **changed: Any) -> Registry:
    """*registry* with every target of *kind* changed."""
    targets = tuple(replace(target, **changed) if target.kind is kind else target for target in registry.targets)
    document = replace(registry.document, target=targets[0])
    return replace(registry, targets=targets, document=document)


def with_view(registry: Registry, network: str = "hub", **changed: Any) -> Registry:
    """*registry* with the view of *network* changed."""
    views = tuple(replace(view, **changed) if view.name == network else view for view in registry.networks)
    return replace(registry, networks=views)


def closed(registry: Registry, *kinds: TargetKind) -> Registry:
    for kind in kinds or tuple(TargetKind):
        registry = with_target(registry, kind, access=Access.CLOSED)
    return registry


# --- endpoints --------------------------------------------------------------------------------------------------------


def wanted(registry: Registry, policy: IsolationPolicy) -> tuple[WantedEndpoint, ...]:
    return wanted_endpoints(registry, policy, serving_networks(registry, policy))


def want(registry: Registry, policy: IsolationPolicy, kind: str, network: str = "hub") -> WantedEndpoint:
    """The first endpoint that *policy* asks for a target of *kind* in *network*."""
    return next(w for w in wanted(registry, policy) if w.target.kind.value == kind and w.network.name == network)


def addresses_of(
    wish: WantedEndpoint, regions: Iterable[str] = ("westeurope",), endpoint: ResourceId | None = None
) -> tuple[Address, ...]:
    """What the network interface of *endpoint*, or else of the app's own, says: public names, each with its address."""
    name = wish.target.id.name
    names = {
        "amlregistry": [f"{name}.{wish.target.location}.api.azureml.ms"],
        "registry": [f"{name}.azurecr.io", *(f"{name}.{region}.data.azurecr.io" for region in regions)],
    }.get(wish.group, [f"{name}.{wish.group}.core.windows.net"])
    return tuple(Address(ip=_ip((endpoint or wish.id).key, fqdn), fqdns=(fqdn,)) for fqdn in names)


def _ip(*parts: str) -> str:
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return f"10.{digest[0]}.{digest[1]}.{digest[2]}"


def an_endpoint(
    wish: WantedEndpoint,
    *,
    state: str = DONE,
    status: ConnectionStatus = ConnectionStatus.APPROVED,
    name: str = "",
    **changed: Any,
) -> PrivateEndpoint:
    """The endpoint that answers *wish*; the app's own unless somebody else's *name* is given."""
    connection = EndpointConnection(target=wish.target.id, groups=(wish.group,), status=status)
    identifier = group_id("rg-others").resource(ENDPOINT_TYPE, name) if name else wish.id
    plain = PrivateEndpoint(
        id=identifier,
        location="westeurope",
        subnet=wish.network.subnet,
        state=state,
        connections=(connection,),
        addresses=addresses_of(wish, endpoint=identifier),
        tags={} if name else endpoint_tags(registry_id()),
    )
    return replace(plain, **changed)


def with_endpoint(registry: Registry, wish: WantedEndpoint, endpoint: PrivateEndpoint) -> Registry:
    """*registry* with *endpoint* in the network of *wish*, replacing one of the same id."""
    view = registry.network(wish.network.name)
    others = tuple(other for other in view.endpoints if other.id != endpoint.id)
    return with_view(registry, wish.network.name, endpoints=(*others, endpoint))


def refused_by_target(registry: Registry, wish: WantedEndpoint, status: ConnectionStatus) -> Registry:
    """*registry* whose target of *wish* says *status* of its connection, whatever the endpoint says."""
    said = (Connection(endpoint=None, status=ConnectionStatus.APPROVED), Connection(endpoint=wish.id, status=status))
    targets = tuple(replace(t, connections=said) if t.id == wish.target.id else t for t in registry.targets)
    return replace(registry, targets=targets, document=replace(registry.document, target=targets[0]))


# --- names ------------------------------------------------------------------------------------------------------------


def home_of(network: Network) -> ResourceId:
    home = network.dns.zones_resource_group
    assert home is not None
    return home


def a_zone_group(wish: WantedEndpoint, state: str = DONE, *, home: str = "", name: str = "default") -> ZoneGroup:
    """A zone group with the zone that *wish* needs, in another resource group if *home* says so."""
    where = group_id(home) if home else home_of(wish.network)
    zones = {
        zone_config_name(zone): where.resource("Microsoft.Network/privateDnsZones", zone) for zone in ZONES[wish.group]
    }
    return ZoneGroup(name=name, state=state, zones=zones)


def with_zone_group(registry: Registry, wish: WantedEndpoint, group: ZoneGroup | None, of: str = "") -> Registry:
    """*registry* with the zone group of the endpoint that answers *wish*, or of the one whose id key is *of*."""
    view = registry.network(wish.network.name)
    groups = {**view.zone_groups, of or wish.id.key: group}
    return with_view(registry, wish.network.name, zone_groups=groups)


def a_link(zone: ResourceId, network: Network, state: str = "Completed") -> ZoneLink:
    return ZoneLink(id=zone.child("virtualNetworkLinks", "somebodys"), network=network.vnet_id, state=state)


def with_zones(registry: Registry, policy: IsolationPolicy, link: str = "Completed", **changed: Any) -> Registry:
    """*registry* whose zones all exist in every network's home, linked in state *link* ("" for no link)."""
    for network in serving_networks(registry, policy):
        zones = {}
        for name in sorted({zone for w in wanted(registry, policy) for zone in ZONES[w.group]}):
            zone = home_of(network).resource("Microsoft.Network/privateDnsZones", name)
            links = (a_link(zone, network, link),) if link else ()
            zones[name] = replace(Zone(id=zone, exists=True, links=links), **changed)
        registry = with_view(registry, network.name, zones=zones)
    return registry


def with_record(registry: Registry, network: str, zone: str, name: str, *addresses: str) -> Registry:
    """*registry* whose *zone* holds *name*; no addresses means no such record."""
    zones = dict(registry.network(network).zones)
    records = {key: value for key, value in zones[zone].records.items() if key != name}
    if addresses:
        records[name] = addresses
    zones[zone] = replace(zones[zone], records=records)
    return with_view(registry, network, zones=zones)


def with_records(registry: Registry, wish: WantedEndpoint, endpoint: PrivateEndpoint | None = None) -> Registry:
    """*registry* whose zones answer every public name of the endpoint that answers *wish*."""
    zone = ZONES[wish.group][0]
    suffix = "." + zone.removeprefix("privatelink.")
    for address in (endpoint or an_endpoint(wish)).addresses or ():
        for fqdn in address.fqdns:
            registry = with_record(registry, wish.network.name, zone, fqdn.removesuffix(suffix), address.ip)
    return registry


def private(registry: Registry, policy: IsolationPolicy) -> Registry:
    """*registry* with every endpoint approved and every record right, and nothing closed."""
    registry = with_zones(registry, policy)
    for wish in wanted(registry, policy):
        regions = [region.location for region in registry.document.regions]
        endpoint = an_endpoint(wish, addresses=addresses_of(wish, regions))
        registry = with_records(with_endpoint(registry, wish, endpoint), wish, endpoint)
    return registry


# --- planning ---------------------------------------------------------------------------------------------------------


def plan_for(registry: Registry, policy: IsolationPolicy, **memory: Any) -> Plan:
    """The plan at noon of a Monday; *memory* is what earlier passes saw."""
    return make_plan(registry, policy, ZONES, Memory(**{"now": NOW, **memory}))


def kinds(plan: Plan) -> list[str]:
    """Kinds of the plan's changes, in order."""
    return [change.kind for change in plan.changes]


def names_of(reasons: Iterable[Any]) -> list[str]:
    """Names of blocks or waits, in order."""
    return [getattr(reason, "reason", reason).name for reason in reasons]
