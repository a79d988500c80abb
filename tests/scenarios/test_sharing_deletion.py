"""A registry goes, and the rules that the app added for it; rules that were there before stay."""

from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from tests.scenarios.house import House
from tests.scenarios.sharing import BUSY_ACLS, Neighbourhood, acls_of, change_acls, let_in
from tests.scenarios.test_deletion import MINUTE, delete, foreign_endpoint, pass_time
from tests.scenarios.test_isolation import create, tell


@pytest.mark.parametrize("resource_rules", [True, False])
def test_the_rule_goes_with_its_registry_where_the_policy_says_so(resource_rules: bool) -> None:  # noqa: FBT001 -- a row of a table
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        house.document["deletion"] = {"resource_rules": resource_rules}
        async with house:
            other = await create(house, "fabrikam")
            await house.settle(other)
            before = acls_of(house.azure, account)
            registry = await create(house)
            await house.settle(registry)
            delete(house, registry)
            await pass_time(house, 20 * MINUTE)
            assert registry in let_in(house.azure, account)

            assert await house.settle(registry) == "gone"

            assert (registry in let_in(house.azure, account)) != resource_rules
            assert other in let_in(house.azure, account)
            if resource_rules:
                assert acls_of(house.azure, account) == before

    tell(story())


def test_a_rule_that_somebody_else_made_for_the_registry_stays() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        registry = f"{house.scene.registries_group}/providers/Microsoft.MachineLearningServices/registries/contoso"
        rule: dict[str, Any] = {"tenantId": house.azure.tenant_id, "resourceId": registry.upper()}
        account = near.account(acls={"defaultAction": "Deny", "resourceAccessRules": [rule]})
        near.share(near.workspace(account))
        async with house:
            await create(house)
            await house.settle(registry)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"

            assert let_in(house.azure, account) == [registry.upper()]

    tell(story())


def test_a_rule_that_azure_refused_the_app_and_a_person_then_added_stays() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account))
        async with house:
            locked = Fault(
                kind=FaultKind.RESPOND, method="PATCH", path="stshared", times=99, status=409, code="ScopeLocked"
            )
            house.azure.faults.add(locked)
            registry = await create(house)
            assert await house.settle(registry) == "blocked"
            house.azure.faults.clear()
            rule = {"tenantId": house.azure.tenant_id, "resourceId": registry}
            change_acls(house.azure, account.id, lambda acls: acls.update(resourceAccessRules=[rule]))
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"

            assert let_in(house.azure, account) == [registry]

    tell(story())


def test_endpoints_and_rules_go_together_and_everybody_elses_stay() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        first, second = near.account(acls=BUSY_ACLS), near.account("stsecond")
        near.share(near.workspace(first, "one"), near.workspace(second, "two"))
        before = acls_of(house.azure, first)
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            by_hand = foreign_endpoint(house, registry)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"

            assert [found.id for found in house.endpoints()] == [by_hand]
            assert acls_of(house.azure, first) == before
            assert let_in(house.azure, second) == []
            row = await house.row(registry)
            assert row is not None
            assert (row.made, row.rules_added) == ((), ())

    tell(story())


def test_an_account_that_went_before_its_registry_holds_nothing_up() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)
            await house.settle(registry)
            house.azure.world.delete(account.id)
            delete(house, registry)
            await pass_time(house, 5 * MINUTE)

            assert await house.settle(registry) == "gone"

    tell(story())
