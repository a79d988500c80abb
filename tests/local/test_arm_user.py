"""The demo's user: what Azure refuses is told in Azure's words, and an operation is followed to its end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.arm_user import ArmRefused, ArmUser
from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.faults import Fault, FaultKind
from local.simulator.server import SimulatorServer
from local.stage_scene import API_VERSIONS, Scene, network_body, registry_body
from tests.local.served import address_of

SCALE = 0.001
SCENE = Scene(subscription=SUBSCRIPTION)
REGISTRY = SCENE.registry("contoso-models")


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SimulatorServer]:
    server = SimulatorServer(SimulatedAzure(durations=Durations().scaled(SCALE)), ca_folder=tmp_path)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def user(server: SimulatorServer) -> AsyncIterator[ArmUser]:
    async with ArmUser(address_of(server), scale=SCALE) as user:
        await user.put(SCENE.group("rg-ml"), {"location": "westeurope"}, API_VERSIONS["groups"])
        yield user


async def test_a_resource_that_is_not_there_is_none(user: ArmUser) -> None:
    assert await user.get(SCENE.registry("nobody"), API_VERSIONS["registries"]) is None


async def test_a_registry_is_there_when_its_put_returns(user: ArmUser) -> None:
    await user.put(REGISTRY, registry_body(), API_VERSIONS["registries"])
    made = await user.get(REGISTRY, API_VERSIONS["registries"])
    assert made is not None
    assert made["properties"]["managedResourceGroup"]["resourceId"]


async def test_a_resource_that_tells_its_own_state_is_finished_when_its_put_returns(user: ArmUser) -> None:
    await user.put(SCENE.group("rg-network"), {"location": "westeurope"}, API_VERSIONS["groups"])
    await user.put(SCENE.network, network_body(), API_VERSIONS["network"])
    made = await user.get(SCENE.network, API_VERSIONS["network"])
    assert made is not None
    assert made["properties"]["provisioningState"] == "Succeeded"


async def test_a_refusal_is_told_in_azures_words(user: ArmUser) -> None:
    group = SCENE.group("rg-ml")
    with pytest.raises(ArmRefused, match=r"was answered 409: .*InvalidResourceGroupLocation"):
        await user.put(group, {"location": "northeurope"}, API_VERSIONS["groups"])


async def test_an_operation_that_fails_later_is_told(server: SimulatorServer, user: ArmUser) -> None:
    server.azure.faults.add(Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="registries/", code="OutOfLuck"))
    with pytest.raises(ArmRefused, match="OutOfLuck"):
        await user.put(REGISTRY, registry_body(), API_VERSIONS["registries"])


async def test_every_page_of_a_collection_is_read(server: SimulatorServer, user: ArmUser) -> None:
    for number in range(1, 1002):
        server.azure.world.put(
            {
                "id": f"{SCENE.group('rg-ml')}/providers/Microsoft.Network/privateDnsZones/{number}.example",
                "location": "global",
                "properties": {},
            }
        )
    assert len(await user.list(f"{SCENE.group('rg-ml')}/resources", API_VERSIONS["groups"])) == 1001


async def test_a_fault_is_scripted_and_forgotten(server: SimulatorServer, user: ArmUser) -> None:
    await user.disturb({"kind": "respond", "path": "/registries/", "status": 500, "times": 9})
    with pytest.raises(ArmRefused, match="500"):
        await user.get(REGISTRY, API_VERSIONS["registries"])
    await user.disturb(None)
    assert await user.get(REGISTRY, API_VERSIONS["registries"]) is None
    assert server.azure.faults.pending == []


async def test_a_fault_that_is_none_is_refused(user: ArmUser) -> None:
    with pytest.raises(ArmRefused, match="400"):
        await user.disturb({"kind": "earthquake"})
