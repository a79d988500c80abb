"""When public access is closed, and that closing changes nothing else."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from tests.scenarios.house import APP, House
from tests.scenarios.test_convergence import WatchfulAzure
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_refusals import blocked
from tests.scenarios.verdict import unisolated

REGISTRY = "Microsoft.MachineLearningServices/registries/contoso"
IDENTITY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one"
OTHER = "44444444-4444-4444-8444-444444444444"


def registry_puts(house: House) -> list[Any]:
    return [call for call in house.writes() if call.principal == APP and REGISTRY in call.url]


async def wait_for_put(house: House) -> None:
    async def put() -> bool:
        return bool(registry_puts(house))

    assert await house.live(put)


def test_never_builds_the_private_way_in_and_closes_nothing() -> None:
    async def story() -> None:
        house = House()
        house.document["lockdown"] = {"when": "never"}
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert len(house.endpoints()) == 3
            assert set(house.access(registry).values()) == {"Enabled"}
            assert registry_puts(house) == []
            assert [call.url for call in house.azure.log if "denyAssignments" in call.url] == []

    tell(story())


def test_a_door_that_is_opened_minutes_after_the_lockdown_is_closed_at_once() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            made = house.azure.world.get(registry)
            assert made is not None
            storage, *_ = scenery.parts_of(house.azure, made)
            body = {"properties": {"publicNetworkAccess": "Enabled"}}
            scenery.send(house.azure, "PATCH", storage.id, body, api_version="2025-01-01")
            assert not house.closed(registry)
            await house.ask(registry)

            async def closed() -> bool:
                return house.closed(registry)

            assert await house.live(closed, timedelta(minutes=1))
            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_immediately_closes_before_there_is_any_endpoint() -> None:
    async def story() -> None:
        house = House()
        house.document["lockdown"] = {"when": "immediately"}
        async with house:
            registry = await create(house)
            await wait_for_put(house)
            assert [found for found in house.endpoints() if found.properties["provisioningState"] == "Succeeded"] == []

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_immediately_closes_even_where_no_endpoint_can_be_made() -> None:
    async def story() -> None:
        house = House(subnet_prefix="10.0.1.0/29")
        house.document["lockdown"] = {"when": "immediately"}
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "SubnetUnusable" in said
            assert house.closed(registry)

    tell(story())


def test_verified_closes_nothing_before_everything_works() -> None:
    async def story() -> None:
        async with House(azure_type=WatchfulAzure, options=Options(public_access_propagates=False)) as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert len(registry_puts(house)) == 1
            assert house.azure.premature == []  # type: ignore[attr-defined]

    tell(story())


@pytest.mark.parametrize("minutes", [0, 5, 60])
def test_azure_gets_as_long_as_the_policy_says_to_close_the_parts_itself(minutes: int) -> None:
    async def story() -> None:
        house = House(options=Options(public_access_propagates=False))
        house.document["lockdown"] = {"propagation_minutes": minutes}
        async with house:
            registry = await create(house)
            await house.settle(registry)

            assert house.closed(registry)
            writes = [call for call in house.writes() if call.principal == APP]
            closed = next(call.at for call in writes if REGISTRY in call.url)
            patched = [call.at for call in writes if call.method == "PATCH"]
            assert len(patched) == 2
            waited = min(patched) - closed
            assert timedelta(minutes=minutes) <= waited <= timedelta(minutes=minutes + 2)

    tell(story())


class ScribblingAzure(SimulatedAzure):
    """Keeps the body of every PUT of the registry by the app."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.bodies: list[Any] = []

    def handle(self, request: Request, now: datetime) -> Response:
        if request.method == "PUT" and request.path.endswith(REGISTRY):
            caller = self.rbac.caller(request.header("Authorization") or "", now)
            if caller.id == APP:
                self.bodies.append(json.loads(request.body))
        return super().handle(request, now)


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def test_closing_the_registry_sends_back_every_member_that_was_read() -> None:
    async def story() -> None:
        async with House(azure_type=ScribblingAzure) as house:
            assigning = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
            house.azure.rbac.principal(APP, actions=[assigning], scope=IDENTITY)
            body = scenery.registry_body(managedResourceGroupSettings={"assignedIdentities": [{"principalId": OTHER}]})
            body |= {
                "kind": "Registry",
                "sku": {"name": "Basic", "tier": "Basic"},
                "tags": {"team": "vision", "Cost-Centre": "4711"},
                "identity": {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
            }
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)
            await house.live(house.exists(registry))
            found = house.azure.world.get(registry)
            assert found is not None
            before = deepcopy(found.body)

            assert await house.settle(registry) == "converged"

            (sent,) = house.azure.bodies  # type: ignore[attr-defined]
            read_only = {"privateEndpointConnections", "registryPrivateEndpointConnections", "discoveryUrl"}
            for name, value in without_nulls(before).items():
                if name != "properties":
                    assert sent[name] == value, name
            for name, value in without_nulls(before["properties"]).items():
                if name not in {*read_only, "publicNetworkAccess"}:
                    assert sent["properties"][name] == value, name
            assert sent["properties"]["publicNetworkAccess"] == "Disabled"
            after = deepcopy(found.body)
            for document in (before, after):
                document["properties"].pop("publicNetworkAccess")
                document.pop("systemData", None)
            assert after == before
            assert IDENTITY in after["identity"]["userAssignedIdentities"]

    tell(story())


class LaggingAzure(SimulatedAzure):
    """A cloud that does not have the api-version yet that the app asks for."""

    def handle(self, request: Request, now: datetime) -> Response:
        version = request.query.get("api-version", "")
        if "/Microsoft.MachineLearningServices/registries" in request.path and version > "2025-04-01":
            message = (
                f"No registered resource provider found for location 'westeurope' and API version '{version}' for type "
                "'registries'. The supported api-versions are '2023-04-01, 2024-04-01, 2024-10-01, 2025-04-01'."
            )
            body = {"error": {"code": "NoRegisteredProviderFound", "message": message}}
            return Response(400, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body).encode())
        return super().handle(request, now)


def test_an_older_api_version_is_used_where_the_wanted_one_is_not_deployed() -> None:
    async def story() -> None:
        async with House(azure_type=LaggingAzure) as house:
            settings = {"assignedIdentities": [{"principalId": OTHER}]}
            registry = scenery.create_registry(house.azure, "contoso", managedResourceGroupSettings=settings)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry.id) == []
            assert {call.url.rsplit("=", 1)[1] for call in registry_puts(house)} == {"2025-04-01"}
            assert registry.properties["managedResourceGroupSettings"] == settings

    tell(story())


class AgedAzure(SimulatedAzure):
    """Shows the registry as it was for 40 seconds after the app has closed it."""

    shown_until = datetime.max.replace(tzinfo=UTC)

    def handle(self, request: Request, now: datetime) -> Response:
        answer = super().handle(request, now)
        if not request.path.endswith(REGISTRY) or answer.status >= 400:
            return answer
        if request.method == "PUT" and self.rbac.caller(request.header("Authorization") or "", now).id == APP:
            self.shown_until = now + timedelta(seconds=self.durations.registry_update + 40)
        if request.method != "GET" or now > self.shown_until:
            return answer
        body = json.loads(answer.body)
        body["properties"]["publicNetworkAccess"] = "Enabled"
        return Response(answer.status, answer.headers, json.dumps(body).encode())


def test_a_read_that_lags_behind_the_closing_is_repeated_until_it_holds_and_nothing_is_written_again() -> None:
    async def story() -> None:
        house = House(azure_type=AgedAzure)
        house.document["targets"] = {"storage": {"public_access": "keep"}, "acr": {"public_access": "keep"}}
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert len(registry_puts(house)) == 1
            assert house.access(registry)["contoso"] == "Disabled"

    tell(story())
