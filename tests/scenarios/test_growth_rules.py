"""A registry grows or shrinks, and the rules on storage and the way out follow it."""

from local.simulator import scenery
from tests.scenarios.house import House
from tests.scenarios.sharing import Neighbourhood, let_in
from tests.scenarios.test_egress import egress
from tests.scenarios.test_growth import found, grow, lose_storage
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated
from tests.scenarios.ways_out import add_group, rules_of, stopped


def test_a_region_added_later_gets_rules_on_its_storage_and_its_way_out() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        workspace = near.workspace(near.account())
        near.share(workspace)
        group = add_group(house)
        egress(house, group)
        house.document["targets"] = {"storage": {"allow_resource_instances": [workspace.id]}}
        async with house:
            registry = await create(house)
            assert await house.settle(registry) == "converged"
            before = len(rules_of(house, group))

            await grow(house, registry, "westeurope", "northeurope")

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            parts = scenery.parts_of(house.azure, found(house, registry))
            accounts = [part for part in parts if "storageAccounts" in part.id]
            assert [let_in(house.azure, account) for account in accounts] == [[workspace.id]] * 2
            assert len(rules_of(house, group)) == before + 3
            assert stopped(house, group, ("westeurope", "northeurope")) == []

    tell(story())


def test_a_storage_account_that_disappears_takes_its_rules_out_of_the_ledger() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        workspace = near.workspace(near.account())
        house.document["targets"] = {"storage": {"allow_resource_instances": [workspace.id]}}
        async with house:
            registry = await create(house, regions=("westeurope", "northeurope"))
            assert await house.settle(registry) == "converged"
            lose_storage(house, registry)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            (kept,) = row.rules_added
            accounts = [part.id for part in scenery.parts_of(house.azure, found(house, registry))]
            assert kept.account.text in accounts

    tell(story())
