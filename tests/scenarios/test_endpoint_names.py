"""The name that the app would give to an endpoint may be another one's already: that one is left alone."""

import copy

from local.simulator import scenery
from local.verdict import connections
from shared.core.arm import ResourceId
from shared.core.naming import endpoint_id
from shared.core.registry import TargetKind
from tests.scenarios.house import House
from tests.scenarios.test_deletion import foreign_endpoint
from tests.scenarios.test_isolation import tell


def test_an_endpoint_of_the_wanted_name_that_leads_elsewhere_is_neither_written_nor_deleted() -> None:
    """The end of a name is a short hash: whoever may create registries can look for a group in which theirs meets it."""

    async def story() -> None:
        async with House() as house:
            elsewhere = scenery.registry_id(house.scene.registries_group, "theirs")
            scenery.create_registry(house.azure, "theirs", now=house.now(), public_access="Disabled")
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            group, subnet = (ResourceId.parse(text) for text in (house.scene.network_group, house.scene.subnet))
            target = ResourceId.parse(registry)
            name = endpoint_id(group, target, TargetKind.REGISTRY, target, "amlregistry", subnet).name
            path = foreign_endpoint(house, elsewhere, name)
            scenery.rest(house.azure)
            before = copy.deepcopy(connections(house.azure.require(path)))
            scenery.create_registry(house.azure, "contoso", now=house.now())
            await house.ask(registry)

            assert await house.settle(registry) == "blocked"

            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert [reason.name for reason in row.report.reasons] == ["EndpointNameTaken"]
            assert path in row.report.reasons[0].sentence
            assert connections(house.azure.require(path)) == before
            assert house.azure.require(registry).properties["publicNetworkAccess"] == "Enabled"

    tell(story())
