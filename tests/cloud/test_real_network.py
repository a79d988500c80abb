"""The same control plane over real sockets: TLS, aiohttp's transport and azure-identity's managed identity."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.faults import Fault, FaultKind
from local.simulator.server import SimulatorServer
from shared.cloud.arm_client import ArmClient
from shared.cloud.arm_policies import create_transport
from shared.cloud.control_plane import ArmControlPlane
from shared.cloud.credentials import create_credential
from shared.core.arm import ResourceId
from shared.core.changes import Change, ClosePublicAccess, CreateEndpoint, CreateZone, DeleteEndpoint, key_of
from shared.core.clouds import CLOUDS
from shared.core.errors import MissingPermission, Unavailable
from shared.core.registry import ENDPOINT_TYPE, ZONE_TYPE, Access, TargetKind
from shared.core.report import Done
from shared.engine.ports import ProgressState
from shared.engine.records import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    azure: SimulatedAzure
    scene: scenery.Scene
    plane: ArmControlPlane


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A server whose operations take no time, and a control plane that reaches it as it would reach Azure."""
    azure = SimulatedAzure(start=now() - timedelta(hours=1), durations=Durations().scaled(0))
    scene = scenery.standard_world(azure)
    server = SimulatorServer(azure, ca_folder=tmp_path)
    await server.start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", server.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", azure.identity_header)
    ca_file = str(server.ca_file)
    cloud = CLOUDS["AzureCloud"]
    async with create_credential(cloud, ca_file=ca_file) as credential, create_transport(ca_file) as transport:
        arm = ArmClient(credential=credential, cloud=cloud, transport=transport, endpoint=server.endpoint)
        yield Served(azure=azure, scene=scene, plane=ArmControlPlane(arm=arm, now=now))
    await server.stop()


async def finish(served: Served, change: Change) -> ProgressState:
    result = await served.plane.start(change)
    if isinstance(result, Done):
        return ProgressState.SUCCEEDED
    operation = Operation(change=change, started=now(), due=now(), url=result.url)
    for _ in range(50):
        state = (await served.plane.progress([operation]))[key_of(change)].state
        if state is not ProgressState.RUNNING:
            return state
        await asyncio.sleep(0)
    return ProgressState.RUNNING


async def test_a_registry_is_closed_and_an_endpoint_made_and_deleted_over_tls(served: Served) -> None:
    registry = ResourceId.parse(scenery.create_registry(served.azure, "contoso").id)
    group = ResourceId.parse(served.scene.network_group)
    endpoint = CreateEndpoint(
        endpoint=group.resource(ENDPOINT_TYPE, "pe-1"),
        location="westeurope",
        subnet=ResourceId.parse(served.scene.subnet),
        target=registry,
        group="amlregistry",
        tags={},
    )
    changes: list[Change] = [
        CreateZone(zone=group.resource(ZONE_TYPE, "privatelink.api.azureml.ms")),
        endpoint,
        ClosePublicAccess(target=registry, target_kind=TargetKind.REGISTRY),
        DeleteEndpoint(endpoint=endpoint.endpoint),
    ]

    for change in changes:
        assert await finish(served, change) is ProgressState.SUCCEEDED, change.sentence

    document = await served.plane.read_registry(registry)
    assert document is not None
    assert document.target.access is Access.CLOSED
    assert await served.plane.list_endpoints(group, []) == ()


async def test_a_connection_that_breaks_is_unavailability(served: Served) -> None:
    registry = ResourceId.parse(scenery.create_registry(served.azure, "contoso").id)
    # aiohttp itself repeats an idempotent request once, because a kept connection may have been closed meanwhile.
    served.azure.faults.add(Fault(kind=FaultKind.RESET, method="GET", path="registries/contoso", times=2))

    with pytest.raises(Unavailable):
        await served.plane.read_registry(registry)
    assert await served.plane.read_registry(registry) is not None


async def test_a_redirect_is_not_followed(served: Served) -> None:
    registry = ResourceId.parse(scenery.create_registry(served.azure, "contoso").id)
    elsewhere = {"Location": f"{served.azure.endpoint}{served.scene.registries_group}?api-version=2021-04-01"}
    served.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="GET", path="registries/contoso", status=307, raw=b"", headers=elsewhere)
    )

    with pytest.raises(Unavailable, match="redirect"):
        await served.plane.read_registry(registry)


async def test_a_token_endpoint_that_refuses_is_a_missing_identity(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    ca_file = str(tmp_path / "ca.pem")
    cloud = CLOUDS["AzureCloud"]
    credential = create_credential(cloud, client_id="00000000-0000-4000-8000-0000000000aa", ca_file=ca_file)
    async with credential, create_transport(ca_file) as transport:
        arm = ArmClient(credential=credential, cloud=cloud, transport=transport, endpoint=served.azure.endpoint)

        with pytest.raises(MissingPermission, match="access token"):
            await ArmControlPlane(arm=arm, now=now).list_group(ResourceId.parse(served.scene.network_group))
