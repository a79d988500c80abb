"""
A simulated Azure in which one registry is isolated, made by ARM requests alone and in virtual time.

Nothing of the product takes part, so what is tested against it (the demo's verdict, real clients) is tested against
Azure's side of the story.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.world import Resource

NAME = "contoso-models"
REGIONS = ("westeurope", "northeurope")
ZONES = {
    "amlregistry": "privatelink.api.azureml.ms",
    "blob": "privatelink.blob.core.windows.net",
    "registry": "privatelink.azurecr.io",
}
DNS_API = "2024-06-01"
STORAGE_API = "2025-01-01"
ACR_API = "2025-04-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatedWorld:
    azure: SimulatedAzure
    scene: scenery.Scene
    registry: Resource

    @property
    def parts(self) -> list[Resource]:
        return scenery.parts_of(self.azure, self.registry)

    @property
    def targets(self) -> Iterator[tuple[Resource, str]]:
        """Everything that needs an endpoint, with the endpoint's group."""
        yield self.registry, "amlregistry"
        for part in self.parts:
            yield part, "blob" if "storage" in part.type.lower() else "registry"

    def endpoint(self, target: Resource) -> str:
        return f"{self.scene.network_group}/providers/Microsoft.Network/privateEndpoints/pe-{target.name}"

    def zone(self, group: str) -> str:
        return f"{self.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{ZONES[group]}"


def isolated_world() -> IsolatedWorld:
    """Two regions, every endpoint approved, every name resolving, every door closed."""
    azure = SimulatedAzure(seed=3)
    scene = scenery.standard_world(azure)
    world = IsolatedWorld(azure=azure, scene=scene, registry=scenery.create_registry(azure, NAME, REGIONS))
    for group in ZONES:
        _zone(world, group)
    for target, group in world.targets:
        _endpoint(world, target, group)
    scenery.rest(azure)
    for target, group in world.targets:
        configuration = {"name": "zone", "properties": {"privateDnsZoneId": world.zone(group)}}
        put(
            world,
            f"{world.endpoint(target)}/privateDnsZoneGroups/default",
            {"properties": {"privateDnsZoneConfigs": [configuration]}},
        )
    scenery.rest(azure)
    _close(world)
    return world


def put(world: IsolatedWorld, path: str, body: dict[str, object], api_version: str = scenery.NETWORK_API) -> None:
    scenery.send(world.azure, "PUT", path, body, api_version=api_version)


def _zone(world: IsolatedWorld, group: str) -> None:
    zone = world.zone(group)
    put(world, zone, {"location": "global"}, DNS_API)
    scenery.rest(world.azure)
    link = {"virtualNetwork": {"id": world.scene.virtual_network}, "registrationEnabled": False}
    put(world, f"{zone}/virtualNetworkLinks/hub", {"location": "global", "properties": link}, DNS_API)


def _endpoint(world: IsolatedWorld, target: Resource, group: str) -> None:
    connection = {"name": "link", "properties": {"privateLinkServiceId": target.id, "groupIds": [group]}}
    properties = {"subnet": {"id": world.scene.subnet}, "privateLinkServiceConnections": [connection]}
    put(world, world.endpoint(target), {"location": "westeurope", "properties": properties})


def _close(world: IsolatedWorld) -> None:
    """As a person would: the registry's document written back, storage and container registry by a small PATCH."""
    body = {**world.registry.body, "properties": {**world.registry.properties, "publicNetworkAccess": "Disabled"}}
    put(world, world.registry.id, body, scenery.REGISTRY_API)
    scenery.rest(world.azure)
    for part in world.parts:
        version = STORAGE_API if "storage" in part.type.lower() else ACR_API
        closed = {"properties": {"publicNetworkAccess": "Disabled"}}
        scenery.send(world.azure, "PATCH", part.id, closed, api_version=version)
    scenery.rest(world.azure)
