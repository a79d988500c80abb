"""Several registries, another installation and other people at the storage account of one workspace."""

from datetime import timedelta

from local.simulator import scenery
from shared.engine.rule_writer import lease_of
from tests.scenarios.house import House, as_id
from tests.scenarios.sharing import BUSY_ACLS, Neighbourhood, acls_of, foreign_rule, let_in
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_sharing import patches
from tests.scenarios.verdict import unisolated


def test_registries_created_together_are_let_into_one_account_with_fewer_writes_than_registries() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        async with house:
            registries = [await create(house, f"reg{number}") for number in range(8)]

            for registry in registries:
                assert await house.settle(registry) == "converged"

            assert set(let_in(house.azure, account)) == {foreign_rule("theirs")["resourceId"], *registries}
            assert len(let_in(house.azure, account)) == 9
            assert len(patches(house, "stshared")) < 8

    tell(story())


def test_another_installation_that_holds_the_account_is_waited_for() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account()
        near.share(near.workspace(account))
        async with house:
            async with house.leases.hold(lease_of(as_id(account))):
                registry = await create(house)
                await house.live(house.after(timedelta(minutes=5)))
                assert let_in(house.azure, account) == []

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [registry]
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_somebody_who_changes_the_account_between_two_passes_loses_nothing() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        before = acls_of(house.azure, account)
        async with house:
            registry = await create(house)
            await house.settle(registry)
            scenery.send(
                house.azure,
                "PATCH",
                account.id,
                {"properties": {"networkAcls": {**before, "ipRules": [{"value": "198.51.100.9"}]}}},
                api_version="2025-06-01",
            )
            assert registry not in let_in(house.azure, account)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account) == [foreign_rule("theirs")["resourceId"], registry]
            assert [rule["value"] for rule in acls_of(house.azure, account)["ipRules"]] == ["198.51.100.9"]

    tell(story())
