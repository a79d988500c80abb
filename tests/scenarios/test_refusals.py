"""What Azure refuses: a named reason, a sentence that a person can act on, nothing lost and nothing in a loop."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from shared.core.report import BlockedOutcome
from tests.scenarios.house import APP, ROLE, House
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated


async def blocked(house: House, registry: str) -> str:
    """Let the app run until it stops; gives the names and sentences of what it stopped for."""
    kind = await house.settle(registry)
    row = await house.row(registry)
    assert row is not None
    assert kind == "blocked", row.outcome
    assert isinstance(row.outcome, BlockedOutcome)
    return "\n".join(f"{reason.name}: {reason.sentence}" for reason in row.outcome.reasons)


async def stays_quiet(house: House) -> None:
    """Blocked means blocked: an hour later nobody has asked Azure anything."""
    before = len(house.azure.log)
    await house.live(house.after(timedelta(hours=1)))
    assert [call.url for call in house.azure.log[before:] if call.principal == APP] == []


def still_open(house: House, registry: str) -> bool:
    return set(house.access(registry).values()) == {"Enabled"}


def test_a_full_subnet_is_found_before_anything_is_created() -> None:
    async def story() -> None:
        async with House(subnet_prefix="10.0.1.0/29") as house:
            registry = await create(house)
            before = len(house.azure.log)

            said = await blocked(house, registry)

            assert "SubnetUnusable: Subnet endpoints has 3 free addresses" in said
            assert "privateendpoints" not in " ".join(call.url.lower() for call in house.writes(before))
            assert still_open(house, registry)
            await stays_quiet(house)

    tell(story())


def test_a_subnet_that_does_not_exist_is_named() -> None:
    async def story() -> None:
        house = House()
        house.document["networks"][0]["subnet"] = house.scene.subnet.replace("/endpoints", "/nowhere")
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "SubnetUnusable: Subnet nowhere of network hub in the policy does not exist" in said
            assert house.endpoints() == []

    tell(story())


def test_a_delegated_subnet_is_named_with_its_delegation() -> None:
    async def story() -> None:
        async with House() as house:
            subnet = house.azure.world.get(house.scene.subnet)
            assert subnet is not None
            delegation = {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
            body = {"properties": {"addressPrefix": "10.0.1.0/24", "delegations": [delegation]}}
            scenery.send(house.azure, "PUT", house.scene.subnet, body, api_version=scenery.NETWORK_API)
            registry = await create(house)

            said = await blocked(house, registry)

            assert "is delegated to Microsoft.Web/serverFarms" in said

    tell(story())


def test_an_acr_that_is_not_premium_keeps_everything_open_and_says_so() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            found = house.azure.world.get(registry)
            assert found is not None
            acr = scenery.parts_of(house.azure, found)[-1]
            acr.body["sku"] = {"name": "Standard", "tier": "Standard"}

            said = await blocked(house, registry)

            assert f"UnsupportedSku: Container registry {acr.name} has sku Standard" in said
            assert still_open(house, registry)
            assert len(house.endpoints()) == 2

    tell(story())


def without(*missing: str) -> Callable[[House], None]:
    """The role less *missing*."""

    def set_rights(house: House) -> None:
        principal = house.azure.rbac.principal(APP)
        principal.assignments.clear()
        house.azure.rbac.principal(APP, actions=ROLE, not_actions=missing)

    return set_rights


@pytest.mark.parametrize(
    ("action", "name"),
    [
        ("Microsoft.MachineLearningServices/registries/read", "MissingPermission"),
        ("Microsoft.Network/privateEndpoints/write", "MissingPermission"),
    ],
)
def test_a_missing_permission_is_named_and_waited_for_at_most_ten_minutes(action: str, name: str) -> None:
    async def story() -> None:
        house = House()
        without(action)(house)
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert name in said
            assert action.lower() in said.lower()
            assert still_open(house, registry)
            await stays_quiet(house)

    tell(story())


def test_a_permission_granted_within_ten_minutes_is_enough() -> None:
    async def story() -> None:
        house = House()
        without("Microsoft.Network/privateEndpoints/write")(house)
        async with house:
            registry = await create(house)
            await house.live(house.after(timedelta(minutes=5)))
            without()(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_the_next_request_tries_again_what_was_refused() -> None:
    async def story() -> None:
        house = House()
        without("Microsoft.Network/privateEndpoints/write")(house)
        async with house:
            registry = await create(house)
            await blocked(house, registry)
            without()(house)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"

    tell(story())


def fault(house: House, **members: Any) -> None:
    house.azure.faults.add(Fault(kind=FaultKind.RESPOND, times=10_000, **members))


@pytest.mark.parametrize(
    ("status", "code", "message", "name"),
    [
        (403, "RequestDisallowedByPolicy", "Resource 'x' was disallowed by policy.", "DeniedByPolicy"),
        (
            409,
            "ScopeLocked",
            "The scope cannot perform write operation because following scope(s) are locked.",
            "Locked",
        ),
        (
            409,
            "MissingSubscriptionRegistration",
            "The subscription is not registered to use namespace 'Microsoft.Network'.",
            "ProviderNotRegistered",
        ),
        (400, "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated", "The subnet is delegated.", "SubnetUnusable"),
        (400, "SomethingNobodyKnows", "It is not to be.", "Refused"),
    ],
)
def test_a_refused_endpoint_blocks_with_its_reason_and_leaves_the_rest_open(
    status: int, code: str, message: str, name: str
) -> None:
    async def story() -> None:
        async with House() as house:
            fault(house, method="PUT", path="privateEndpoints/[^/]+$", status=status, code=code, message=message)
            registry = await create(house)

            said = await blocked(house, registry)

            assert f"{name}: " in said
            assert still_open(house, registry)
            await stays_quiet(house)

    tell(story())


def test_an_endpoint_whose_operation_fails_for_good_is_put_again_made_anew_and_then_handed_to_a_person() -> None:
    async def story() -> None:
        async with House() as house:
            failing = Fault(
                kind=FaultKind.FAIL_OPERATION,
                method="PUT",
                path="privateEndpoints/pe-contoso-acr-[^/]+$",
                times=10_000,
                code="InternalServerError",
                message="An error occurred.",
            )
            house.azure.faults.add(failing)
            registry = await create(house)

            said = await blocked(house, registry)

            assert "although it was put again and made anew" in said
            assert failing.hits >= 2
            assert still_open(house, registry)
            await stays_quiet(house)

    tell(story())


def test_a_deny_assignment_names_what_to_set() -> None:
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True, public_access_propagates=False)) as house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "DeniedByAssignment" in said
            assert "managedResourceGroupSettings.assignedIdentities" in said
            await stays_quiet(house)

    tell(story())


class ReticentAzure(SimulatedAzure):
    """An Azure whose registries do not name their managed group, as old ones did."""

    def handle(self, request: Request, now: datetime) -> Response:
        answer = super().handle(request, now)
        if request.method != "GET" or answer.status != 200 or not REGISTRY_PATH.search(request.path):
            return answer
        body = json.loads(answer.body)
        body["properties"]["managedResourceGroup"] = None
        return Response(answer.status, answer.headers, json.dumps(body).encode())


REGISTRY_PATH = re.compile(r"/Microsoft\.MachineLearningServices/registries/[^/]+$", re.IGNORECASE)
GUID = "12345678-1234-4234-8234-123456789012"


def group(house: House, name: str, owner: str | None) -> None:
    scope = f"{house.scene.subscription}/resourceGroups/{name}"
    body = {"location": "westeurope", "managedBy": owner}
    scenery.send(house.azure, "PUT", scope, body, api_version=scenery.GROUP_API)


def test_a_group_that_cannot_be_told_from_another_is_blocked_with_both_names() -> None:
    async def story() -> None:
        async with House(azure_type=ReticentAzure) as house:
            registry = await create(house, "foo")
            await house.live(house.exists(registry))
            found = house.azure.world.get(registry)
            assert found is not None
            own = house.azure.world.get(str(found.properties["managedResourceGroup"]["resourceId"]))
            assert own is not None
            own.body["managedBy"] = None
            group(house, f"azureml-rg-foo_{GUID}", None)

            said = await blocked(house, registry)

            assert "AmbiguousGroup: Registry foo does not name its managed resource group" in said
            assert own.name in said
            assert f"azureml-rg-foo_{GUID}" in said
            assert still_open(house, registry)
            await stays_quiet(house)

    tell(story())


def test_foo_never_touches_what_belongs_to_foo_bar_or_to_a_workspace() -> None:
    async def story() -> None:
        house = House(azure_type=ReticentAzure)
        house.document["scope"]["registries"] = {"include": ["foo"]}
        async with house:
            other = await create(house, "foo_bar")
            owner = f"{house.scene.registries_group}/providers/Microsoft.MachineLearningServices/workspaces/foo"
            group(house, f"azureml-rg-foo_{GUID}", owner)
            before = len(house.azure.log)

            registry = await create(house, "foo")

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert set(house.access(other).values()) == {"Enabled"}
            touched = " ".join(call.url.lower() for call in house.azure.log[before:] if call.principal == APP)
            assert "foo_bar" not in touched
            assert GUID not in touched

    tell(story())


def test_no_network_for_a_region_is_said_and_nothing_is_done() -> None:
    async def story() -> None:
        house = House()
        house.document["networks"][0]["serves"] = {"regions": ["eastus"]}
        async with house:
            registry = await create(house)
            before = len(house.azure.log)

            said = await blocked(house, registry)

            assert "NoNetwork: No network of the policy serves registry contoso (westeurope)" in said
            assert house.writes(before) == []

    tell(story())


def test_two_networks_with_one_home_for_their_zones_are_refused() -> None:
    async def story() -> None:
        house = House()
        house.add_network("spoke", "10.1.0.0/16", zones=house.scene.dns_group)
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "DnsConflict" in said
            assert still_open(house, registry)

    tell(story())


def test_a_zone_that_may_not_be_created_is_named() -> None:
    async def story() -> None:
        house = House()
        house.document["networks"][0]["dns"]["create_zones"] = False
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "ZoneMissing: Private DNS zone privatelink.blob.core.windows.net does not exist in rg-dns" in said
            assert still_open(house, registry)

    tell(story())
