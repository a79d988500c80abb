"""
Thousands of finished, isolated registries in one call: the world in which a sweep is measured.

    crowd = put_isolated_registries(azure, 10_000, subscriptions=50)
    azure.graph             already shows all of it
    crowd.policy_networks   goes into a policy's `networks`

No time passes and no call is made: the resources are made by the same functions that serve the calls, so they look as if
the app had isolated them one by one in the past. What the app chooses itself (names, tags, one zone group per endpoint)
is repeated here, because this package imports nothing of it; a test holds the two together.

A virtual network takes at most 1000 private endpoints (documentation of Azure subscription limits), so registries are
spread over as many hubs as it takes, each with zones of its own. Hubs live in the first subscription.
"""

import gc
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from local.simulator import scenery, seed
from local.simulator.azure import SimulatedAzure
from local.simulator.providers import endpoint_connections, private_endpoints, zone_groups
from local.simulator.providers.endpoint_connections import Wish
from local.simulator.providers.resources import REGIONS
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

ENDPOINTS_PER_NETWORK = 1000
"""Private endpoints per virtual network (documentation of Azure subscription limits)."""
_ENDPOINTS_PER_REGISTRY = 3
REGISTRIES_PER_HUB = ENDPOINTS_PER_NETWORK // _ENDPOINTS_PER_REGISTRY
_MANY = 1000
"""From here on the new objects are taken out of garbage collection, which would look at millions of them in every query."""
_MOST_HUBS = 250
"""Hubs have address spaces 10.x.0.0/16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A network for some of the registries; `pattern` matches their names and no others."""

    name: str
    pattern: str
    network: str
    subnet: str
    endpoints_group: str
    zones_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What was put into the world."""

    subscriptions: tuple[str, ...]
    hubs: tuple[Hub, ...]
    registries: tuple[str, ...]

    @property
    def policy_networks(self) -> list[JsonObject]:
        """The `networks` of a policy under which everything is as it should be."""
        return [
            {
                "name": hub.name,
                "subnet": hub.subnet,
                "serves": {"registries": [hub.pattern]},
                "dns": {"zones_resource_group": hub.zones_group, "create_zones": True, "link_vnet": True},
            }
            for hub in self.hubs
        ]


def put_isolated_registries(
    azure: SimulatedAzure, count: int, *, subscriptions: int = 1, location: str = scenery.LOCATION
) -> Crowd:
    """
    Put *count* isolated registries, spread over *subscriptions*, into the world and into Resource Graph.

    Args:
        azure: A world that has none of it yet.
        count: Registries.
        subscriptions: How many subscriptions they lie in; those that the world does not have yet are made.
        location: The one region of registries and hubs.
    """
    with _no_collection():
        crowd = _put(azure, count, subscriptions, location)
        azure.graph.refresh()
    if count >= _MANY:
        gc.freeze()
    return crowd


@contextmanager
def _no_collection() -> Iterator[None]:
    """Millions of new objects and no garbage among them: looking for it would take a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _put(azure: SimulatedAzure, count: int, subscriptions: int, location: str) -> Crowd:
    number = -(-count // REGISTRIES_PER_HUB)
    if number > _MOST_HUBS or location not in REGIONS:
        raise scenery.SceneryError(f"{count} registries in {location} are more than {_MOST_HUBS} hubs can serve.")
    named = _subscriptions(azure, subscriptions)
    hubs = tuple(_hub(azure, at, named[0], location) for at in range(number))
    for subscription in named:
        _make_group(azure, f"/subscriptions/{subscription}/resourceGroups/rg-ml", location)
    found = [_isolated(azure, at, hubs[at // REGISTRIES_PER_HUB], named, location) for at in range(count)]
    return Crowd(subscriptions=named, hubs=hubs, registries=tuple(found))


def _subscriptions(azure: SimulatedAzure, count: int) -> tuple[str, ...]:
    """The world's subscriptions and, when they are too few, new ones with ids that depend on their number alone."""
    found = list(azure.subscriptions.values())[:count]
    for at in range(len(found), count):
        found.append(str(uuid5(NAMESPACE_URL, f"https://simulated.example/subscriptions/{at}")))
        azure.subscriptions[found[-1]] = found[-1]
    return tuple(found)


def _make_group(azure: SimulatedAzure, group: str, location: str) -> None:
    if azure.world.get(group) is None:
        azure.world.put(
            {"id": group, "location": location, "tags": {}, "properties": {"provisioningState": "Succeeded"}}
        )


# -- hubs --------------------------------------------------------------------------------------------------------------


def _hub(azure: SimulatedAzure, number: int, subscription: str, location: str) -> Hub:
    """A network with one subnet, and the zones that registries need, linked to it."""
    name = f"hub-{number:03d}"
    groups = f"/subscriptions/{subscription}/resourceGroups"
    endpoints_group, zones_group = f"{groups}/rg-{name}", f"{groups}/rg-{name}-dns"
    network = f"{endpoints_group}/providers/Microsoft.Network/virtualNetworks/{name}"
    hub = Hub(
        name=name,
        pattern=f"reg-{number:03d}-*",
        network=network,
        subnet=f"{network}/subnets/endpoints",
        endpoints_group=endpoints_group,
        zones_group=zones_group,
    )
    subnet = {"name": "endpoints", "location": location, "properties": {"addressPrefix": f"10.{number}.0.0/20"}}
    space = {"addressPrefixes": [f"10.{number}.0.0/16"], "ipamPoolPrefixAllocations": []}
    body = {"id": network, "location": location, "properties": {"addressSpace": space, "subnets": [subnet]}}
    for group in (endpoints_group, zones_group):
        _make_group(azure, group, location)
    seed.load(azure, {"resources": [body, *_zones(azure, hub)]})
    return hub


def _zones(azure: SimulatedAzure, hub: Hub) -> Iterator[JsonObject]:
    cloud = azure.cloud
    link = f"{hub.name}-{_short_hash(hub.network)}"
    for domain in (cloud.machine_learning_suffix, f"blob.{cloud.storage_suffix}", cloud.registry_suffix):
        zone = _zone_id(hub, f"privatelink.{domain}")
        yield {"id": zone, "location": "global", "properties": {}}
        properties = {"virtualNetwork": {"id": hub.network}, "resolutionPolicy": "Default"}
        yield {"id": f"{zone}/virtualNetworkLinks/{link}", "location": "global", "properties": properties}


def _zone_id(hub: Hub, name: str) -> str:
    return f"{hub.zones_group}/providers/Microsoft.Network/privateDnsZones/{name}"


# -- registries --------------------------------------------------------------------------------------------------------


def _isolated(azure: SimulatedAzure, number: int, hub: Hub, subscriptions: Sequence[str], location: str) -> str:
    """One registry, closed, with everything that belongs to it; gives its id."""
    group = f"/subscriptions/{subscriptions[number % len(subscriptions)]}/resourceGroups/rg-ml"
    name = f"{hub.pattern.removesuffix('*')}{number:06d}"
    registry = scenery.create_registry(azure, name, (location,), group=group)
    storage, container_registry = scenery.parts_of(azure, registry)
    for kind, target, link_group in (
        ("registry", registry, "amlregistry"),
        ("storage", storage, "blob"),
        ("acr", container_registry, "registry"),
    ):
        _endpoint(azure, hub, registry, kind, target, link_group)
    for each in (registry, storage, container_registry):
        each.properties["publicNetworkAccess"] = "Disabled"
        azure.world.touch(each)
    return registry.id


def _endpoint(
    azure: SimulatedAzure, hub: Hub, registry: Resource, kind: str, target: Resource, link_group: str
) -> None:
    """An approved endpoint with its interface, its zone group and its records."""
    subnet = azure.require(hub.subnet)
    name = _endpoint_name(registry.name, kind, target.id, link_group, hub.subnet)
    wish = Wish(name=name, target_id=target.id, groups=(link_group,), manual=False, message="")
    tags = {"managed-by": "registry-isolation", "registry-isolation-registry": registry.id[:256]}
    endpoint = private_endpoints.begun(
        azure,
        f"{hub.endpoints_group}/providers/Microsoft.Network/privateEndpoints/{name}",
        {"tags": tags},
        subnet,
        [wish],
        azure.require(hub.network).location,
    )
    private_endpoints.finished(azure, endpoint)
    zones = [zone for each in endpoint_connections.groups_of(azure, target.id, (link_group,)) for zone in each.zones]
    configs = [(zone.lower().replace(".", "-"), _zone_id(hub, zone)) for zone in zones]
    group = azure.world.put(zone_groups.new_body(azure, endpoint, "default", configs))
    zone_groups.finished(azure, endpoint, group)


def _endpoint_name(registry: str, kind: str, target: str, link_group: str, subnet: str) -> str:
    """pe-<registry>-<kind>-<8 hex>, at most 80 characters: how the app names its endpoints."""
    tail = f"-{kind}-{_short_hash(target, link_group, subnet)}"
    return f"pe-{registry}"[: 80 - len(tail)] + tail


def _short_hash(*parts: Any) -> str:
    return hashlib.sha256("|".join(str(part).lower() for part in parts).encode()).hexdigest()[:8]
