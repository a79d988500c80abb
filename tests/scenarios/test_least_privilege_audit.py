"""An app that audits gets by with one role, which reads: it is enough, and nothing in it is too much."""

from datetime import timedelta
from functools import cache

import pytest

from local.simulator.options import Options
from local.sweep_house import SweepHouse
from tests.scenarios.doctor import doctor_of
from tests.scenarios.house import House
from tests.scenarios.rights import AnonymousAzure, ForgetfulAzure, Told, demanded, grant, refused, role, run
from tests.scenarios.sharing import Neighbourhood
from tests.scenarios.test_egress import egress
from tests.scenarios.test_findings import add_deployment, add_workspace
from tests.scenarios.test_isolation import create
from tests.scenarios.test_refusals import ReticentAzure
from tests.scenarios.ways_out import add_group, add_policy
from tests.virtual_time import run_virtual

AUDIT = role("audit")
SHOWN = {"Microsoft.Network/privateDnsZones/read"}
"""Resource Graph shows rows of what the caller may read and demands nothing for the others."""


async def new_registry() -> Told:
    house = House(options=Options(deny_managed_groups=True))
    house.document["mode"] = "audit"
    return await run(house, (), actions=AUDIT)


async def reticent() -> Told:
    house = House(azure_type=ReticentAzure)
    house.document["mode"] = "audit"
    return await run(house, (), actions=AUDIT)


async def everything() -> Told:
    """Sharing and egress that the policy would enforce."""
    house = House(azure_type=AnonymousAzure)
    house.document["mode"] = "audit"
    near = Neighbourhood(house)
    near.share(near.workspace(near.account()))
    egress(house, add_group(house), service_endpoint_policy=add_policy(house))
    return await run(house, (), actions=AUDIT)


async def drifted() -> Told:
    """A registry that was isolated while the policy said enforce, and has lost its records."""
    house = House(azure_type=ForgetfulAzure)
    add_deployment(house, add_workspace(house, house.scene.subnet), "open", endpointComputeType="Managed")
    async with house:
        registry = await create(house)
        assert await house.settle(registry) == "converged"
        before = len(house.azure.log)
        await house.stop()
        house.document["mode"] = "audit"
        house.install()
        grant(house, AUDIT)
        assert isinstance(house.azure, ForgetfulAzure)
        house.azure.forgetful = True
        await house.ask(registry)
        outcome = await house.settle(registry)
        await house.live(house.after(timedelta(minutes=5)))
        return Told(outcome=outcome, said="", demanded=demanded(house, before), refused=refused(house, before))


async def sweeping() -> Told:
    house = SweepHouse(2, mode="audit")
    async with house:
        grant(house, AUDIT)
        swept = await house.sweep()
        assert swept.seen == 2
        return Told(outcome=swept.state, said="", demanded=demanded(house), refused=refused(house))


async def examining() -> Told:
    house = House()
    house.document["mode"] = "audit"
    grant(house, AUDIT)
    async with house:
        await doctor_of(house).examine()
        return Told(outcome="examined", said="", demanded=demanded(house), refused=refused(house))


STORIES = {
    new_registry: "audited",
    reticent: "audited",
    everything: "audited",
    drifted: "audited",
    sweeping: "done",
    examining: "examined",
}


@cache
def told(name: str) -> Told:
    heard: list[Told] = []

    async def tell() -> None:
        heard.append(await next(story for story in STORIES if story.__name__ == name)())

    run_virtual(tell())
    return heard[0]


@pytest.mark.parametrize(("story", "outcome"), [(story.__name__, end) for story, end in STORIES.items()])
def test_an_audit_works_with_exactly_its_role(story: str, outcome: str) -> None:
    ended = told(story)

    assert ended.refused == ()
    assert ended.outcome == outcome


def test_an_audit_uses_every_right_of_its_role_and_no_other_one() -> None:
    used = frozenset[str]().union(*(told(story.__name__).demanded for story in STORIES))

    assert sorted({*AUDIT} - used - SHOWN) == []
    assert sorted(used - {*AUDIT}) == []


def test_the_role_for_audits_reads_and_nothing_else() -> None:
    assert all(action.endswith("/read") for action in AUDIT)
