"""What happens to isolated registries behind the app's back: one function for each kind, on the simulated Azure alone."""

from collections.abc import Callable, Mapping

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.world import Resource
from local.verdict import endpoints_of

DNS_API = "2020-06-01"

type Drift = Callable[[SimulatedAzure, str], None]
"""Takes the Azure and the registry's id."""


def storage_opened(azure: SimulatedAzure, registry: str) -> None:
    _open(azure, _storage(azure, registry))


def acr_opened(azure: SimulatedAzure, registry: str) -> None:
    _open(azure, _acr(azure, registry))


def registry_opened(azure: SimulatedAzure, registry: str) -> None:
    _open(azure, azure.require(registry))


def endpoint_deleted(azure: SimulatedAzure, registry: str) -> None:
    endpoint = endpoints_of(azure, _storage(azure, registry))[0]
    scenery.send(azure, "DELETE", endpoint.id, api_version=scenery.NETWORK_API)


def connection_rejected(azure: SimulatedAzure, registry: str) -> None:
    target = _acr(azure, registry)
    azure.links.state_changed(target.id, endpoints_of(azure, target)[0].id, "Rejected", "by hand")


def record_deleted(azure: SimulatedAzure, registry: str) -> None:
    name = _storage(azure, registry).name
    network = str(endpoints_of(azure, _storage(azure, registry))[0].properties["subnet"]["id"]).rsplit("/subnets/", 1)[
        0
    ]
    for zone in azure.world.of_type("Microsoft.Network/privateDnsZones"):
        links = azure.world.children(zone.id, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")
        mine = any(str(link.properties["virtualNetwork"]["id"]).lower() == network.lower() for link in links)
        if mine and azure.world.get(f"{zone.id}/A/{name}") is not None:
            scenery.send(azure, "DELETE", f"{zone.id}/A/{name}", api_version=DNS_API)
            return
    raise LookupError(f"{name} has no record")


def region_added(azure: SimulatedAzure, registry: str) -> None:
    body = scenery.registry_body((scenery.LOCATION, "northeurope"), public_access="Disabled")
    scenery.send(azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)


DRIFTS: Mapping[str, Drift] = {
    "storage re-opened": storage_opened,
    "container registry re-opened": acr_opened,
    "registry re-opened": registry_opened,
    "endpoint deleted": endpoint_deleted,
    "connection rejected": connection_rejected,
    "record deleted": record_deleted,
    "region added": region_added,
}


def _storage(azure: SimulatedAzure, registry: str) -> Resource:
    return scenery.parts_of(azure, azure.require(registry))[0]


def _acr(azure: SimulatedAzure, registry: str) -> Resource:
    return scenery.parts_of(azure, azure.require(registry))[-1]


def _open(azure: SimulatedAzure, resource: Resource) -> None:
    resource.properties["publicNetworkAccess"] = "Enabled"
    azure.world.touch(resource)
