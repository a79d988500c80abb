"""What happens in a story of the crash campaign happens in Azure, or is asked of the app until it has heard."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.app_user import AppRefused
from local.crash import worlds
from local.crash.azure_front import AzureFront
from local.crash.gate import Gate
from local.crash.stories import STORIES, Stage
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.stage_scene import APP_PRINCIPAL
from local.verdict import endpoints_of

NAME = "crash-x-1"
NETWORK = "Microsoft.Network/virtualNetworks"


class DeafApp:
    """Hears what it is asked the third time."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def post(self, path: str, body: Mapping[str, Any]) -> None:
        """As `AppUser.post`."""
        self.asked.append((path, body))
        if len(self.asked) < 3:
            raise AppRefused("curl ended with exit status 7")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    azure = worlds.build(worlds.Scenery(webhook="", header="secret", scale=0.02))
    front = AzureFront(azure, folder=tmp_path, gate=Gate(), app=APP_PRINCIPAL)
    return Stage(front=front, app=DeafApp(), name=NAME)


async def test_a_registry_is_created_by_somebody_and_its_creation_takes_time(stage: Stage) -> None:
    await STORIES["create"].act(stage)
    azure = stage.front.azure
    assert azure.next_due() is not None
    scenery.rest(azure)
    assert len(scenery.parts_of(azure, azure.require(stage.registry))) == 2


async def test_a_drift_opens_the_storage_and_takes_the_endpoint_of_the_container_registry(stage: Stage) -> None:
    azure = stage.front.azure
    scenery.put_registry(azure, NAME)
    scenery.rest(azure)
    storage, acr = scenery.parts_of(azure, azure.require(stage.registry))
    storage.properties["publicNetworkAccess"] = "Disabled"
    endpoint_for(azure, acr.id)
    assert len(endpoints_of(azure, acr)) == 1
    await STORIES["drift"].act(stage)
    scenery.rest(azure)
    assert storage.properties["publicNetworkAccess"] == "Enabled"
    assert endpoints_of(azure, acr) == []


async def test_a_deletion_is_azures_own(stage: Stage) -> None:
    azure = stage.front.azure
    scenery.put_registry(azure, NAME)
    scenery.rest(azure)
    await STORIES["delete"].act(stage)
    scenery.rest(azure)
    assert azure.world.get(stage.registry) is None


@pytest.mark.virtual_time
async def test_a_person_asks_for_the_undo_until_the_app_has_heard(tmp_path: Path) -> None:
    azure, app = worlds.build(worlds.Scenery(webhook="", header="secret", scale=0.02)), DeafApp()
    front = AzureFront(azure, folder=tmp_path, gate=Gate(), app=APP_PRINCIPAL)
    await STORIES["undo"].act(Stage(front=front, app=app, name=NAME))
    assert len(app.asked) == 3
    (path, body), *_ = app.asked
    assert path.endswith(f"/rg-ml/{NAME}/undo")
    assert body["why"]


def endpoint_for(azure: SimulatedAzure, target: str) -> None:
    (network,) = azure.world.of_type(NETWORK)
    connection = {"name": "c", "properties": {"privateLinkServiceId": target, "groupIds": ["registry"]}}
    subnet = f"{network.id}/subnets/endpoints"
    body = {
        "location": scenery.LOCATION,
        "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": [connection]},
    }
    group = network.id.partition("/providers/")[0]
    path = f"{group}/providers/Microsoft.Network/privateEndpoints/pe-acr"
    scenery.send(azure, "PUT", path, body, api_version=scenery.NETWORK_API)
    scenery.rest(azure)
