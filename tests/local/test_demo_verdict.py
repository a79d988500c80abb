"""The demo's verdict finds whatever keeps a registry from being isolated, and nothing else."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from local import demo_verdict
from local.arm_user import ArmUser
from local.simulator import scenery
from local.simulator.azure import SUBSCRIPTION
from local.simulator.server import SimulatorServer
from local.stage_scene import Scene
from tests.local.isolated import IsolatedWorld, isolated_world, put
from tests.local.served import address_of

type Harm = Callable[[IsolatedWorld], None]


class Trial:
    """An isolated world behind a real socket, and a user who judges it."""

    def __init__(self, world: IsolatedWorld, user: ArmUser) -> None:
        self.world = world
        self._user = user

    async def problems(self, registry: str = "") -> list[str]:
        return await demo_verdict.problems(
            self._user, Scene(subscription=SUBSCRIPTION), registry or self.world.registry.id
        )


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    world = isolated_world()
    moment: datetime = world.azure.world.now
    server = SimulatorServer(world.azure, ca_folder=tmp_path, now=lambda: moment)
    await server.start()
    try:
        async with ArmUser(address_of(server), scale=0.0) as user:
            yield Trial(world, user)
    finally:
        await server.stop()


async def test_an_isolated_registry_has_no_problem(trial: Trial) -> None:
    assert await trial.problems() == []


def opened(world: IsolatedWorld) -> None:
    world.parts[0].properties["publicNetworkAccess"] = "Enabled"


def secured_by_perimeter(world: IsolatedWorld) -> None:
    world.registry.properties["publicNetworkAccess"] = "SecuredByPerimeter"


def without_endpoint(world: IsolatedWorld) -> None:
    world.azure.world.delete(world.endpoint(world.parts[1]))


def with_two_endpoints(world: IsolatedWorld) -> None:
    target = world.parts[0]
    connection = {"name": "link", "properties": {"privateLinkServiceId": target.id, "groupIds": ["blob"]}}
    properties = {"subnet": {"id": world.scene.subnet}, "privateLinkServiceConnections": [connection]}
    put(world, f"{world.endpoint(target)}-again", {"location": "westeurope", "properties": properties})
    scenery.rest(world.azure)


def rejected(world: IsolatedWorld) -> None:
    connection_of(world, 0)["privateLinkServiceConnectionState"]["status"] = "Rejected"


def of_another_group(world: IsolatedWorld) -> None:
    connection_of(world, 0)["groupIds"] = ["dfs"]


def failed(world: IsolatedWorld) -> None:
    world.azure.world.resources[world.endpoint(world.parts[0]).lower()].properties["provisioningState"] = "Failed"


def without_record(world: IsolatedWorld) -> None:
    world.azure.world.delete(f"{world.zone('blob')}/A/{world.parts[0].name}")


def with_foreign_record(world: IsolatedWorld) -> None:
    record = world.azure.world.get(f"{world.zone('blob')}/A/{world.parts[0].name}")
    assert record is not None
    record.properties["aRecords"] = [{"ipv4Address": "203.0.113.9"}]


def without_link(world: IsolatedWorld) -> None:
    world.azure.world.delete(f"{world.zone('registry')}/virtualNetworkLinks/hub")


def linked_elsewhere(world: IsolatedWorld) -> None:
    link = world.azure.world.get(f"{world.zone('registry')}/virtualNetworkLinks/hub")
    assert link is not None
    link.properties["virtualNetwork"]["id"] += "-of-somebody-else"


def without_storage(world: IsolatedWorld) -> None:
    world.azure.world.delete(world.parts[1].id)


def connection_of(world: IsolatedWorld, part: int) -> Any:
    endpoint = world.azure.world.resources[world.endpoint(world.parts[part]).lower()]
    return endpoint.properties["privateLinkServiceConnections"][0]["properties"]


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (opened, "Public access of {storage} is Enabled."),
        (secured_by_perimeter, "Public access of contoso-models is SecuredByPerimeter."),
        (without_endpoint, "{second} has 0 private endpoints, not one."),
        (with_two_endpoints, "{storage} has 2 private endpoints, not one."),
        (rejected, "The connection of private endpoint pe-{storage} is Rejected."),
        (of_another_group, "Private endpoint pe-{storage} leads to ['dfs'] of {storage}."),
        (failed, "Private endpoint pe-{storage} is Failed."),
        (without_record, "{storage}.blob.core.windows.net resolves to nothing, not to 10.0.1."),
        (with_foreign_record, "{storage}.blob.core.windows.net resolves to 203.0.113.9, not to 10.0.1."),
        (without_link, "{registry}.azurecr.io resolves to nothing"),
        (linked_elsewhere, "{registry}.azurecr.io resolves to nothing"),
        (
            without_storage,
            "The managed group holds 1 storage accounts and 1 container registries; 2 and 1 were expected.",
        ),
    ],
)
async def test_what_is_not_right_is_named(trial: Trial, harm: Harm, sentence: str) -> None:
    storage, second, registry = (part.name for part in trial.world.parts)
    harm(trial.world)
    expected = sentence.format(storage=storage, second=second, registry=registry)
    found = await trial.problems()
    assert any(each.startswith(expected) for each in found), found


async def test_a_target_that_knows_nothing_of_its_endpoint_is_named(trial: Trial) -> None:
    account = trial.world.parts[0]
    for connection in trial.world.azure.world.children(account.id):
        trial.world.azure.world.delete(connection.id)
    assert f"To {account.name}, private endpoint pe-{account.name} is unknown." in await trial.problems()


async def test_a_registry_that_does_not_exist_is_not_isolated(trial: Trial) -> None:
    missing = trial.world.registry.id.replace("contoso", "nobody")
    assert await trial.problems(missing) == [f"The registry {missing} does not exist."]


async def test_a_registry_that_azure_is_still_making_is_not_isolated(trial: Trial) -> None:
    trial.world.registry.properties.pop("managedResourceGroup")
    (said,) = await trial.problems()
    assert said == "The registry contoso-models has no managed resource group: Azure has not finished making it."
