"""Reading workspaces and tenants from the simulated Azure."""

import asyncio

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from shared.core.arm import ResourceId
from shared.core.errors import ProviderNotRegistered
from tests.cloud.rig import Rig


def a_workspace(rig: Rig) -> tuple[ResourceId, ResourceId]:
    account = scenery.create_storage_account(rig.azure, "stws")
    workspace = scenery.create_workspace(rig.azure, "ws", account.id)
    rig.moment = rig.azure.world.now
    return ResourceId.parse(workspace.id), ResourceId.parse(account.id)


def refuse(rig: Rig, *supported: str) -> None:
    listed = f"The supported api-versions are '{', '.join(supported)}'." if supported else ""
    message = f"No registered resource provider found for location and API version for type 'workspaces'. {listed}"
    fault = Fault(
        kind=FaultKind.RESPOND, path="/workspaces/", status=400, code="NoRegisteredProviderFound", message=message
    )
    rig.azure.faults.add(fault)


def test_a_workspace_tells_its_storage_account() -> None:
    rig = Rig()
    workspace, account = a_workspace(rig)

    found = asyncio.run(rig.plane.read_workspace(workspace))

    assert found is not None
    assert (found.id, found.storage_account, found.endpoints) == (workspace, account, ())


def test_a_workspace_tells_its_endpoints() -> None:
    rig = Rig()
    workspace, _ = a_workspace(rig)
    asyncio.run(rig.finished(rig.endpoint_change(workspace, "amlworkspace")))

    found = asyncio.run(rig.plane.read_workspace(workspace))

    assert found is not None
    assert found.endpoints == (rig.endpoint(),)


def test_a_workspace_that_does_not_exist_is_none() -> None:
    rig = Rig()
    workspace, _ = a_workspace(rig)

    assert asyncio.run(rig.plane.read_workspace(workspace.parent.resource(workspace.type, "nobody"))) is None


def test_where_the_api_version_is_not_deployed_the_newest_known_one_is_used() -> None:
    rig = Rig()
    workspace, account = a_workspace(rig)
    refuse(rig, "2023-04-01", "2024-04-01")

    found = asyncio.run(rig.plane.read_workspace(workspace))

    assert found is not None
    assert found.storage_account == account
    assert "2024-04-01" in rig.azure.log[-1].url


def test_a_refusal_that_names_no_version_stays_one() -> None:
    rig = Rig()
    workspace, _ = a_workspace(rig)
    refuse(rig)

    with pytest.raises(ProviderNotRegistered):
        asyncio.run(rig.plane.read_workspace(workspace))


def test_a_subscription_tells_its_tenant_and_so_does_a_registry_with_an_identity() -> None:
    rig = Rig()
    registry = ResourceId.parse(rig.registry().id)

    document = asyncio.run(rig.plane.read_registry(registry))

    assert document is not None
    assert document.tenant == rig.azure.tenant_id
    assert asyncio.run(rig.plane.tenant_of(registry.subscription)) == rig.azure.tenant_id
