"""Somebody else, such as an assignment of Azure Policy, gives the app's new endpoints their zone groups a moment earlier."""

from datetime import timedelta

from local.house import House
from local.simulator import scenery
from local.verdict import unisolated
from shared.core.changes import Change, PutZoneGroup
from shared.core.report import BlockedOutcome, Done, Started
from tests.virtual_time import run_virtual

DNS_API = "2020-06-01"
NAME = "deployedByPolicy"


class Overtaken(House):
    """A house in which a zone group of somebody else is there just before the app asks for its own; *home* has its zones."""

    home = ""

    def install(self) -> None:
        super().install()
        honest, done = self.plane.start, set[str]()

        async def start(change: Change) -> Started | Done:
            if isinstance(change, PutZoneGroup) and change.endpoint.key not in done:
                done.add(change.endpoint.key)
                self.overtake(change)
            return await honest(change)

        self.plane.start = start  # type: ignore[method-assign]

    def overtake(self, change: PutZoneGroup) -> None:
        zones = {
            name: zone.text.replace(zone.group.text, self.home or zone.group.text)
            for name, zone in change.zones.items()
        }
        configs = [{"name": name, "properties": {"privateDnsZoneId": zone}} for name, zone in zones.items()]
        body = {"properties": {"privateDnsZoneConfigs": configs}}
        path = f"{change.endpoint.text}/privateDnsZoneGroups/{NAME}"
        scenery.send(self.azure, "PUT", path, body, api_version=scenery.NETWORK_API)

    def groups(self) -> list[str]:
        kind = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
        return [group.name for endpoint in self.endpoints() for group in self.azure.world.children(endpoint.id, kind)]


async def created(house: House) -> str:
    scenery.put_registry(house.azure, "contoso", now=house.now())
    registry = scenery.registry_id(house.scene.registries_group, "contoso")
    await house.live(house.exists(registry))
    await house.settle(registry, timedelta(hours=3))
    return registry


def test_a_zone_group_that_was_there_first_is_looked_at_and_used() -> None:
    async def story() -> None:
        async with Overtaken() as house:
            registry = await created(house)

            row = await house.row(registry)
            assert row is not None
            assert row.outcome is not None
            assert row.outcome.kind == "converged"
            assert unisolated(house.azure, registry) == []
            assert house.groups() == [NAME] * 3
            assert not [entry for entry in await house.told(registry) if entry.result == "blocked"]

    run_virtual(story())


def add_central_zones(house: Overtaken) -> None:
    """Zones of the same names in another group, linked to the endpoints' network."""
    house.home = f"{house.scene.subscription}/resourceGroups/rg-central"
    scenery.send(house.azure, "PUT", house.home, {"location": "westeurope"}, api_version=scenery.GROUP_API)
    for name in ("api.azureml.ms", "notebooks.azure.net", "blob.core.windows.net", "azurecr.io"):
        zone = f"{house.home}/providers/Microsoft.Network/privateDnsZones/privatelink.{name}"
        scenery.send(house.azure, "PUT", zone, {"location": "global"}, api_version=DNS_API)
        scenery.rest(house.azure)
        link = {"virtualNetwork": {"id": house.scene.virtual_network}, "registrationEnabled": False}
        body = {"location": "global", "properties": link}
        scenery.send(house.azure, "PUT", f"{zone}/virtualNetworkLinks/hub", body, api_version=DNS_API)
        scenery.rest(house.azure)


def test_where_its_zones_cannot_stand_beside_the_apps_only_that_is_the_reason() -> None:
    async def story() -> None:
        async with Overtaken() as house:
            add_central_zones(house)
            row = await house.row(await created(house))

            assert row is not None
            assert isinstance(row.outcome, BlockedOutcome)
            sentences = [reason.sentence for reason in row.outcome.reasons]
            assert len(sentences) > 0
            assert [each for each in sentences if "linked to another zone of the same name" not in each] == []
            assert not house.closed(row.registry.text)

    run_virtual(story())
