"""Deny assignments of the managed group: seen before the first write, named exactly, never fought."""

from datetime import timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.options import Options
from tests.scenarios.house import APP, House
from tests.scenarios.sharing import let_in
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_refusals import blocked, stays_quiet, without
from tests.scenarios.verdict import unisolated

DENYING = Options(deny_managed_groups=True, public_access_propagates=False)
SPARED = {"assignedIdentities": [{"principalId": APP}]}


async def denied_calls(house: House) -> list[str]:
    """The log does not name who was refused; nobody else is in these stories."""
    return [call.url for call in house.azure.log if call.status == 403]


async def codes(house: House, registry: str) -> dict[str, str]:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return {finding.code: finding.sentence for finding in row.report.findings}


def test_without_the_apps_principal_the_registry_is_closed_and_the_sentence_says_what_to_set_and_where() -> None:
    async def story() -> None:
        async with House(options=DENYING) as house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert said.count("DeniedByAssignment: Public access of ") == 2
            assert f'{{"principalId": "{APP}"}} to properties.managedResourceGroupSettings.assignedIdentities' in said
            assert f"of registry {registry} with a full PUT" in said
            assert await denied_calls(house) == []
            assert house.access(registry)["contoso"] == "Disabled"
            await stays_quiet(house)

    tell(story())


def test_deny_assignments_are_read_before_the_first_write_and_only_once() -> None:
    async def story() -> None:
        async with House(options=DENYING) as house:
            registry = await create(house)
            await blocked(house, registry)

            calls = [call for call in house.azure.log if call.principal == APP]
            looks = [number for number, call in enumerate(calls) if "denyAssignments" in call.url]
            writes = [number for number, call in enumerate(calls) if call.kind == "write"]
            assert len(looks) == 1
            assert looks[0] < writes[0]

    tell(story())


def test_a_deny_assignment_is_only_a_warning_where_azure_closes_the_parts_itself() -> None:
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True)) as house:
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            found = await codes(house, registry)
            assert "unless azure closes" in found["deny-assignment"].lower()

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert "deny-assignment" not in await codes(house, registry)

    tell(story())


def test_with_the_apps_principal_the_app_closes_everything() -> None:
    async def story() -> None:
        async with House(options=DENYING) as house:
            settings: dict[str, Any] = {"managedResourceGroupSettings": SPARED}
            scenery.put_registry(house.azure, "contoso", now=house.now(), **settings)
            registry = scenery.registry_id(house.scene.registries_group, "contoso")

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            found = house.azure.world.get(registry)
            assert found is not None
            assert found.properties["managedResourceGroupSettings"] == SPARED

    tell(story())


GUEST = f"/subscriptions/{APP}/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/guest"


@pytest.mark.parametrize("spared", [True, False])
def test_rules_on_the_registrys_own_storage_meet_its_deny_assignment(spared: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        house = House(options=Options(deny_managed_groups=True))
        house.document["targets"] = {"storage": {"allow_resource_instances": [GUEST]}}
        async with house:
            settings: dict[str, Any] = {"managedResourceGroupSettings": SPARED} if spared else {}
            scenery.put_registry(house.azure, "contoso", now=house.now(), **settings)
            registry = scenery.registry_id(house.scene.registries_group, "contoso")

            assert await house.settle(registry) == ("converged" if spared else "blocked")

            assert unisolated(house.azure, registry) == []
            assert await denied_calls(house) == []
            found = house.azure.world.get(registry)
            assert found is not None
            storage = scenery.parts_of(house.azure, found)[0]
            assert let_in(house.azure, storage) == ([GUEST] if spared else [])
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            for reason in row.report.reasons:
                assert reason.name == "DeniedByAssignment"
                assert f"cannot let guest into storage account {storage.name}" in reason.sentence
                assert f'{{"principalId": "{APP}"}}' in reason.sentence
            assert row.rules_added == () or spared

    tell(story())


def test_setting_what_the_sentence_says_is_enough() -> None:
    async def story() -> None:
        async with House(options=DENYING) as house:
            registry = await create(house)
            await blocked(house, registry)
            found = house.azure.world.get(registry)
            assert found is not None
            body = {**found.body, "properties": {**found.properties, "managedResourceGroupSettings": SPARED}}
            scenery.send(house.azure, "PUT", registry, body, api_version=scenery.REGISTRY_API)
            await house.live(house.after(timedelta(minutes=2)))

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


@pytest.mark.parametrize("denying", [True, False])
def test_not_being_allowed_to_look_is_a_finding_and_stops_nothing(denying: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        house = House(options=Options(deny_managed_groups=denying))
        without("Microsoft.Authorization/denyAssignments/read")(house)
        async with house:
            registry = await create(house)
            await house.live(house.wrote("privateEndpoints"))
            assert (
                "Microsoft.Authorization/denyAssignments/read"
                in (await codes(house, registry))["deny-assignments-unreadable"]
            )

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_deny_assignment_that_could_not_be_seen_is_named_by_azures_own_refusal() -> None:
    async def story() -> None:
        house = House(options=DENYING)
        without("Microsoft.Authorization/denyAssignments/read")(house)
        async with house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "DeniedByAssignment: The deny assignment" in said
            assert APP in said

    tell(story())
