"""Rights on what a request only names: what Azure checks beside the request's own resource, and what a person is told."""

import pytest

from local.simulator import scenery
from local.simulator.rbac import DenyAssignment
from tests.scenarios.house import APP, House
from tests.scenarios.rights import GRANTED, grant
from tests.scenarios.test_isolation import tell
from tests.scenarios.verdict import unisolated

ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
APPROVE = "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action"


async def why(house: House, registry: str) -> str:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return " ".join(reason.sentence for reason in row.report.reasons)


@pytest.mark.parametrize("granted", [False, True])
def test_closing_a_registry_with_identities_of_others_needs_the_right_to_assign_them(granted: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        house = House()
        identity = f"{house.scene.network_group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-ml"
        body = scenery.registry_body()
        body["identity"] = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {identity: {}}}
        grant(house, tuple(GRANTED))
        if granted:
            house.azure.rbac.principal(APP, actions=[ASSIGN], scope=identity)
        async with house:
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)

            assert await house.settle(registry) == ("converged" if granted else "blocked")
            assert bool(unisolated(house.azure, registry)) is not granted
            assert granted or f"lacks {ASSIGN} on {identity}" in await why(house, registry)

    tell(story())


def test_a_deny_assignment_that_keeps_from_approving_is_named_with_what_lifts_it() -> None:
    async def story() -> None:
        async with House() as house:
            registry = scenery.create_registry(house.azure, "contoso", now=house.now()).id
            (account,) = [each.id for each in house.azure.world.of_type("Microsoft.Storage/storageAccounts")]
            everything = DenyAssignment(
                id=f"{account}/d", name="d", scope=account.rpartition("/providers/")[0], actions=("*/action",)
            )
            house.azure.rbac.deny(everything)
            await house.ask(registry)

            assert await house.settle(registry) == "blocked"
            assert f"keeps the app from {APPROVE} on {account}" in await why(house, registry)
            assert APP in await why(house, registry)

            house.azure.rbac.lift(everything.scope)
            await house.ask(registry)

            assert await house.settle(registry) == "converged"

    tell(story())
