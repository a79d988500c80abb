"""Registries are let into the storage of the workspaces that share with them, and nobody else loses a rule."""

from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from tests.scenarios.house import APP, ROLE, House
from tests.scenarios.sharing import BUSY_ACLS, Neighbourhood, acls_of, foreign_rule, let_in
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated


def patches(house: House, account: str, since: int = 0) -> list[Any]:
    return [
        call for call in house.writes(since) if f"/storageAccounts/{account}?" in call.url and call.method == "PATCH"
    ]


async def codes(house: House, registry: str) -> set[str]:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return {finding.code for finding in row.report.findings}


def test_the_registry_is_let_into_the_workspaces_storage_and_every_other_rule_stays() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        before = acls_of(house.azure, account)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"

            assert unisolated(house.azure, registry) == []
            after = acls_of(house.azure, account)
            rule = {"tenantId": house.azure.tenant_id, "resourceId": registry}
            assert after.pop("resourceAccessRules") == [*before.pop("resourceAccessRules"), rule]
            assert after == before
            assert account.properties["publicNetworkAccess"] == "Disabled"
            assert len(patches(house, "stshared")) == 1

    tell(story())


def test_the_next_pass_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        async with house:
            registry = await create(house)
            await house.settle(registry)
            before = len(house.azure.log)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert house.writes(before) == []

    tell(story())


def test_several_workspaces_on_one_account_cost_one_write() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account, "one"), near.workspace(account, "two"))
        near.share(storage_accounts=[account.id.upper().replace("/SUBSCRIPTIONS", "/subscriptions")])
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [registry]
            assert len(patches(house, "stshared")) == 1

    tell(story())


def test_a_rule_that_is_there_in_another_casing_is_not_added_again() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        registry = scenery.registry_id(house.scene.registries_group, "contoso")
        held = {
            "tenantId": house.azure.tenant_id.upper(),
            "resourceId": registry.replace("resourceGroups", "RESOURCEgroups"),
        }
        account = near.account(acls={"defaultAction": "Deny", "resourceAccessRules": [held]})
        near.share(near.workspace(account))
        async with house:
            await create(house)

            assert await house.settle(registry) == "converged"
            assert patches(house, "stshared") == []
            row = await house.row(registry)
            assert row is not None
            assert row.rules_added == ()

    tell(story())


@pytest.mark.parametrize(
    ("given", "action"),
    [("Disabled", "Allow"), ("Disabled", "Deny"), ("Enabled", "Allow"), ("Enabled", "Deny"), (None, "Allow")],
)
def test_keep_leaves_public_access_and_the_default_action_as_they_are(given: str | None, action: str) -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls={"defaultAction": action}, publicNetworkAccess=given)
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [registry]
            assert account.properties.get("publicNetworkAccess") == given
            assert acls_of(house.azure, account)["defaultAction"] == action
            open_to_all = given != "Disabled" and action == "Allow"
            assert ("sharing-storage-open" in await codes(house, registry)) == open_to_all

    tell(story())


@pytest.mark.parametrize(
    ("given", "action"),
    [("Disabled", "Allow"), ("Disabled", "Deny"), ("Enabled", "Allow"), ("Enabled", "Deny"), (None, "Allow")],
)
def test_selected_networks_is_reached_in_one_write_that_denies_by_default(given: str | None, action: str) -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls={**BUSY_ACLS, "defaultAction": action}, publicNetworkAccess=given)
        near.share(near.workspace(account), public_access="selected-networks")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert account.properties["publicNetworkAccess"] == "Enabled"
            assert acls_of(house.azure, account)["defaultAction"] == "Deny"
            assert acls_of(house.azure, account)["ipRules"] == BUSY_ACLS["ipRules"]
            assert let_in(house.azure, account)[-1] == registry
            assert len(patches(house, "stshared")) == 1
            assert "sharing-storage-open" not in await codes(house, registry)

    tell(story())


def test_an_account_behind_a_perimeter_keeps_it() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(publicNetworkAccess="SecuredByPerimeter")
        near.share(near.workspace(account), public_access="selected-networks")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert account.properties["publicNetworkAccess"] == "SecuredByPerimeter"
            assert "sharing-storage-perimeter" in await codes(house, registry)

    tell(story())


def test_a_full_account_blocks_and_the_registry_is_isolated_all_the_same() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        full = [foreign_rule(f"ws{number}") for number in range(200)]
        account = near.account(acls={"defaultAction": "Deny", "resourceAccessRules": full})
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "blocked"
            assert unisolated(house.azure, registry) == []
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            (reason,) = row.report.reasons
            assert reason.name == "ResourceRuleLimit"
            assert "200 resource instance rules" in reason.sentence
            assert patches(house, "stshared") == []

    tell(story())


@pytest.mark.parametrize(("held", "near_limit"), [(178, False), (179, True), (199, True)])
def test_an_account_that_is_nearly_full_is_a_finding(held: int, near_limit: bool) -> None:  # noqa: FBT001 -- a row of a table
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        rules = [foreign_rule(f"ws{number}") for number in range(held)]
        account = near.account(acls={"defaultAction": "Deny", "resourceAccessRules": rules})
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert len(let_in(house.azure, account)) == held + 1
            assert ("resource-rules-near-limit" in await codes(house, registry)) == near_limit

    tell(story())


def test_a_workspace_that_does_not_exist_is_a_finding_and_holds_nothing_up() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        workspace = near.workspace(account)
        near.share(workspace)
        house.document["sharing"][0]["workspaces"].append(workspace.id + "-gone")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [registry]
            assert "sharing-unreadable" in await codes(house, registry)

    tell(story())


def test_a_workspace_that_may_not_be_read_is_a_finding() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()))
        house.azure.rbac.principal(APP).assignments.clear()
        missing = ("Microsoft.MachineLearningServices/workspaces/read",)
        house.azure.rbac.principal(APP, actions=ROLE, not_actions=missing)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            (finding,) = (each for each in row.report.findings if each.code == "sharing-unreadable")
            assert "workspaces/read" in finding.sentence

    tell(story())


def test_a_workspace_that_is_unavailable_for_a_moment_is_asked_again() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)
            house.azure.faults.add(Fault(kind=FaultKind.RESPOND, method="GET", path="/workspaces/", times=9))

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [registry]

    tell(story())


def test_resource_instances_are_let_into_the_registrys_own_storage() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        workspace = near.workspace(near.account())
        house.document["targets"] = {"storage": {"allow_resource_instances": [workspace.id]}}
        async with house:
            registry = await create(house, regions=("westeurope", "northeurope"))

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            made = house.azure.world.get(registry)
            assert made is not None
            accounts = [part for part in scenery.parts_of(house.azure, made) if "storageAccounts" in part.id]
            assert [let_in(house.azure, account) for account in accounts] == [[workspace.id]] * 2
            row = await house.row(registry)
            assert row is not None
            assert {account.id.lower() for account in accounts} <= set(row.snapshots)

    tell(story())


def test_rules_that_the_policy_no_longer_asks_for_are_taken_away_if_the_app_added_them() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        before = acls_of(house.azure, account)
        async with house:
            registry = await create(house)
            await house.settle(registry)
            await house.stop()
            del house.document["sharing"]
            house.install()

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert acls_of(house.azure, account) == before
            row = await house.row(registry)
            assert row is not None
            assert row.rules_added == ()

    tell(story())


def test_in_audit_mode_the_rule_is_planned_and_not_written() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account))
        house.document["mode"] = "audit"
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "audited"
            assert let_in(house.azure, account) == []
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert "let contoso into storage account stshared" in row.report.changes

    tell(story())
