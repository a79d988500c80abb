"""Undo and resume: what was closed is as it was, exactly, and stays so until somebody says otherwise."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.world import Resource
from shared.core.registry import Access
from shared.core.report import Paused
from shared.engine.rule_writer import lease_of
from shared.engine.undo import Undo
from tests.scenarios.house import APP, House, as_id
from tests.scenarios.sharing import add_address, change_acls
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated

MINUTE = timedelta(minutes=1)
PERSON = "22222222-2222-4222-8222-222222222222"
NETWORK = ("publicNetworkAccess", "networkAcls", "networkRuleSet", "networkRuleBypassOptions")
ACLS = {
    "bypass": "AzureServices, Logging",
    "defaultAction": "Deny",
    "ipRules": [{"value": "203.0.113.7", "action": "Allow"}],
    "virtualNetworkRules": [],
    "resourceAccessRules": [{"tenantId": "33333333-3333-4333-8333-333333333333", "resourceId": "/subscriptions/x/y"}],
}


def undoing(house: House) -> Undo:
    return Undo(house.ledger, house.queue, house.clock)


def resources(house: House, registry: str) -> list[Resource]:
    found = house.azure.world.get(registry)
    assert found is not None
    return [found, *scenery.parts_of(house.azure, found)]


def network_of(house: House, registry: str) -> dict[str, dict[str, Any]]:
    """Every network setting of the registry and its parts; absent public access is the same as enabled."""
    return {
        found.name: {"publicNetworkAccess": "Enabled"}
        | {name: told(found.properties[name]) for name in NETWORK if name in found.properties}
        for found in resources(house, registry)
    }


def told(setting: Any) -> Any:
    """A setting as Azure's users mean it: an empty list of rules is none."""
    if isinstance(setting, dict):
        return {name: told(inner) for name, inner in setting.items() if inner != []}
    return deepcopy(setting)


async def prepared(house: House) -> tuple[str, dict[str, dict[str, Any]]]:
    """An isolated registry, and how its network settings were before."""
    registry = await create(house)
    await house.live(house.exists(registry))
    _, storage, acr = resources(house, registry)
    storage.properties["networkAcls"] = deepcopy(ACLS)
    acr.properties["networkRuleSet"]["ipRules"] = [{"action": "Allow", "value": "198.51.100.0/24"}]
    before = network_of(house, registry)
    assert await house.settle(registry) == "converged"
    assert house.closed(registry)
    return registry, before


@pytest.mark.parametrize("propagates", [True, False])
def test_undo_restores_every_network_setting_exactly(propagates: bool) -> None:  # noqa: FBT001
    async def story() -> None:
        async with House(options=Options(public_access_propagates=propagates)) as house:
            registry, before = await prepared(house)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="training fails")

            assert await house.settle(registry) == "paused"
            assert network_of(house, registry) == before
            row = await house.row(registry)
            assert row is not None
            assert isinstance(row.outcome, Paused)
            assert (row.outcome.by, row.outcome.why) == (PERSON, "training fails")
            assert len(house.endpoints()) == 3
            assert row.picture is not None
            assert not any(door.access is Access.CLOSED for door in row.picture.doors)

    tell(story())


def test_undo_restores_the_default_action_of_the_container_registrys_rules() -> None:
    """The CLI closes a container registry with defaultAction Deny as well, and opening it leaves that (recorded)."""

    async def story() -> None:
        async with House() as house:
            registry, before = await prepared(house)
            acr = resources(house, registry)[-1]
            acr.properties["networkRuleSet"]["defaultAction"] = "Deny"

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            await house.settle(registry)

            assert acr.properties["networkRuleSet"]["defaultAction"] == "Allow"
            assert network_of(house, registry) == before

    tell(story())


def test_undo_takes_back_the_apps_own_rules_and_keeps_what_others_added_since() -> None:
    async def story() -> None:
        house = House()
        guest = f"{house.scene.registries_group}/providers/Microsoft.MachineLearningServices/workspaces/guest"
        house.document["targets"] = {"storage": {"allow_resource_instances": [guest]}}
        async with house:
            registry, before = await prepared(house)
            _, storage, acr = resources(house, registry)
            change_acls(house.azure, storage.id, add_address("198.51.100.9"))
            acr.properties["networkRuleSet"]["ipRules"].append({"action": "Allow", "value": "198.51.100.9"})
            assert len(storage.properties["networkAcls"]["resourceAccessRules"]) == 2

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")

            assert await house.settle(registry) == "paused"
            after = network_of(house, registry)
            assert after[storage.name]["networkAcls"]["ipRules"].pop()["value"] == "198.51.100.9"
            assert after[acr.name]["networkRuleSet"]["ipRules"].pop()["value"] == "198.51.100.9"
            assert after == before

    tell(story())


def test_undo_waits_for_whoever_writes_the_accounts_rules() -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await prepared(house)
            storage = resources(house, registry)[1]
            async with house.leases.hold(lease_of(as_id(storage))):
                await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
                await house.live(house.after(3 * MINUTE))
                assert [call for call in house.writes() if call.method == "PATCH" and storage.name in call.url] == []

            assert await house.settle(registry) == "paused"
            assert network_of(house, registry) == before

    tell(story())


def test_undo_twice_is_undo_once() -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="first")
            await house.settle(registry)
            log = len(house.azure.log)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="second")

            assert await house.settle(registry) == "paused"
            assert house.writes(log) == []
            assert network_of(house, registry) == before
            row = await house.row(registry)
            assert row is not None
            assert row.paused is not None
            assert row.paused.why == "first"

    tell(story())


def test_a_paused_registry_costs_one_look_whoever_asks_and_whatever_drifts() -> None:
    async def story() -> None:
        async with House() as house:
            registry, before = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            await house.settle(registry)
            scenery.send(house.azure, "DELETE", house.endpoints()[0].id, api_version=scenery.NETWORK_API)
            log = len(house.azure.log)

            for _ in range(3):
                await house.ask(registry)
                await house.live(house.after(2 * MINUTE))

            assert await house.settle(registry) == "paused"
            asked = [call.url.partition("?")[0] for call in house.azure.log[log:] if call.principal == APP]
            assert len(asked) <= 4
            assert {url.rpartition("/registries/")[2] for url in asked} == {"contoso"}
            assert house.writes(log) == []
            assert network_of(house, registry) == before

    tell(story())


def test_a_pause_ends_with_its_registry_and_what_the_app_made_goes_after_the_grace_period() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            await house.settle(registry)
            scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
            await house.live(house.after(20 * MINUTE))
            assert len(house.endpoints()) == 3

            assert await house.settle(registry) == "gone"

            assert house.endpoints() == []
            row = await house.row(registry)
            assert row is not None
            assert row.paused is None

    tell(story())


def test_a_paused_registry_that_comes_back_within_the_grace_period_is_still_paused() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            await house.settle(registry)
            scenery.send(house.azure, "DELETE", registry, api_version=scenery.REGISTRY_API)
            await house.live(house.after(10 * MINUTE))

            await create(house)
            await house.live(house.after(60 * MINUTE))

            assert await house.settle(registry) == "paused"
            assert set(house.access(registry).values()) == {"Enabled"}

    tell(story())


def test_resume_closes_again_and_the_next_undo_restores_what_was_found_then() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            await house.settle(registry)
            storage = resources(house, registry)[1]
            storage.properties["networkAcls"]["ipRules"] = []
            meanwhile = network_of(house, registry)

            await undoing(house).resume(as_id(registry), caller=PERSON)
            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

            await undoing(house).undo(as_id(registry), caller=PERSON, why="again")
            assert await house.settle(registry) == "paused"
            assert network_of(house, registry) == meanwhile

    tell(story())


def test_undo_in_the_middle_of_isolating_leaves_everything_as_it_was() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = network_of(house, registry)
            await house.live(house.wrote("registries/contoso?"))

            await undoing(house).undo(as_id(registry), caller=PERSON, why="too early")

            assert await house.settle(registry) == "paused"
            await house.live(house.after(10 * MINUTE))
            assert network_of(house, registry) == before

    tell(story())


def test_pause_restores_nothing() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await prepared(house)

            await undoing(house).pause(as_id(registry), caller=PERSON, why="maintenance")

            assert await house.settle(registry) == "paused"
            assert house.closed(registry)

    tell(story())


def test_the_history_names_who_asked_and_every_change() -> None:
    async def story() -> None:
        async with House() as house:
            registry, _ = await prepared(house)
            await undoing(house).undo(as_id(registry), caller=PERSON, why="training fails")
            await house.settle(registry)
            await undoing(house).resume(as_id(registry), caller=PERSON)
            await house.settle(registry)

            lines = [(entry.kind, entry.subject.split(":")[0], entry.result) for entry in await house.told(registry)]
            assert ("undo", "undo") in {(kind, kind) for kind, _, _ in lines}
            assert ("change", "undo", "restored") in lines
            assert ("outcome", "paused", "paused") in lines
            assert len([subject for _, subject, _ in lines if subject == "restore-settings"]) >= 3
            assert "resume" in {kind for kind, _, _ in lines}
            assert all(
                entry.caller == PERSON for entry in await house.told(registry) if entry.kind in {"undo", "resume"}
            )

    tell(story())


def test_what_the_app_does_not_know_cannot_be_undone() -> None:
    async def story() -> None:
        async with House() as house:
            registry = scenery.create_registry(house.azure, "contoso").id
            assert await undoing(house).undo(as_id(registry), caller=PERSON, why="x") is None
            assert len(house.queue) == 0

    tell(story())


def test_what_may_not_be_restored_is_named_and_the_registry_stays_paused() -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=False)) as house:
            registry, _ = await prepared(house)
            locked = Fault(
                kind=FaultKind.RESPOND, method="PATCH", path="storageAccounts", times=99, status=409, code="ScopeLocked"
            )
            house.azure.faults.add(locked)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")

            assert await house.settle(registry) == "blocked"
            row = await house.row(registry)
            assert row is not None
            assert row.paused is not None
            assert row.report is not None
            assert [reason.name for reason in row.report.reasons] == ["Locked", "NotRestored"]

            house.azure.faults.clear()
            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")
            assert await house.settle(registry) == "paused"
            assert not house.closed(registry)

    tell(story())


def test_where_a_deny_assignment_forbids_the_app_azure_gets_its_time_to_open_the_parts() -> None:
    async def story() -> None:
        async with House(options=Options(deny_managed_groups=True)) as house:
            registry, before = await prepared(house)

            await undoing(house).undo(as_id(registry), caller=PERSON, why="x")

            assert await house.settle(registry) == "paused"
            assert network_of(house, registry) == before

    tell(story())


@settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(
    seconds=st.integers(0, 200),
    kind=st.sampled_from([FaultKind.RESPOND, FaultKind.RESET, FaultKind.LOSE_RESPONSE, FaultKind.FAIL_OPERATION]),
    method=st.sampled_from(["GET", "PUT", "PATCH"]),
    skip=st.integers(0, 6),
    propagates=st.booleans(),
)
def test_undo_at_any_moment_and_with_any_fault_ends_as_it_was(
    seconds: int,
    kind: FaultKind,
    method: str,
    skip: int,
    propagates: bool,  # noqa: FBT001 -- drawn by hypothesis
) -> None:
    async def story() -> None:
        async with House(options=Options(public_access_propagates=propagates)) as house:
            registry = await create(house)
            await house.live(house.exists(registry))
            before = network_of(house, registry)
            await house.live(house.after(timedelta(seconds=5 + seconds)))
            house.azure.faults.add(Fault(kind=kind, method=method, skip=skip, times=1))

            assert await undoing(house).undo(as_id(registry), caller=PERSON, why="x") is not None

            assert await house.settle(registry, 60 * MINUTE) == "paused"
            await house.live(house.after(5 * MINUTE))
            assert network_of(house, registry) == before

    tell(story())
