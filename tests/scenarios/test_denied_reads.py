"""
Rights to read what the isolation does not hang on: one that works late is waited for, one that is missing is told.

A new role assignment takes minutes to work. What nobody may read for ten of them, nobody was allowed to read.
"""

from datetime import timedelta

import pytest

from local.simulator.faults import Fault, FaultKind
from shared.core.report import Waiting
from tests.scenarios.house import APP, House
from tests.scenarios.sharing import Neighbourhood
from tests.scenarios.test_egress import codes, egress
from tests.scenarios.test_isolation import create
from tests.scenarios.verdict import unisolated
from tests.scenarios.ways_out import add_group, rules_of
from tests.virtual_time import run_virtual

LATE, SOON = timedelta(minutes=9), timedelta(minutes=2)
"""Before ten minutes are over; and long before the second look of a converged registry, which would find it too."""
GROUP, WORKSPACE = "networkSecurityGroups", "workspaces/read"


def without(house: House, part: str) -> tuple[str, ...]:
    """Take the actions about *part* from the app; gives all that it had."""
    (assignment,) = house.azure.rbac.principals[APP].assignments
    had = tuple(assignment.actions)
    kept = [action for action in had if part.lower() not in action.lower()]
    assert len(kept) < len(had)
    house.azure.rbac.principals[APP].assignments.clear()
    house.azure.rbac.principal(APP, actions=kept)
    return had


async def outcomes(house: House, registry: str) -> list[str]:
    return [entry.result for entry in reversed(await house.told(registry)) if entry.kind == "outcome"]


@pytest.mark.parametrize("late", [timedelta(minutes=1), LATE])
def test_a_security_group_that_may_be_read_late_bothers_nobody(late: timedelta) -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group)
        had = without(house, GROUP)
        async with house:
            registry = await create(house)
            await house.live(house.after(late))
            house.azure.rbac.principal(APP, actions=had)

            assert await house.settle(registry) == "converged"
            assert "blocked" not in await outcomes(house, registry)
            assert len(rules_of(house, group)) > 1
            assert await codes(house, registry) == []

    run_virtual(story())


def test_a_security_group_that_may_never_be_read_is_told_after_ten_minutes() -> None:
    async def story() -> None:
        house = House()
        egress(house, add_group(house))
        without(house, GROUP)
        async with house:
            registry = await create(house)
            began = house.now()

            assert await house.settle(registry) == "blocked"
            (told,) = [entry.at for entry in await house.told(registry) if entry.result == "blocked"]
            assert timedelta(minutes=10) <= told - began < timedelta(minutes=13)
            assert unisolated(house.azure, registry) == []
            assert await codes(house, registry) == ["egress-group-unreadable"]

    run_virtual(story())


def test_a_workspace_that_may_be_read_late_still_gets_its_rule() -> None:
    async def story() -> None:
        house = House()
        neighbours = Neighbourhood(house)
        account = neighbours.account()
        neighbours.share(neighbours.workspace(account))
        had = without(house, WORKSPACE)
        async with house:
            registry = await create(house)
            await house.live(house.after(LATE))
            assert unisolated(house.azure, registry) == []
            house.azure.rbac.principal(APP, actions=had)
            await house.live(house.after(SOON))

            assert registry.lower() in str(house.azure.require(account.id).properties).lower()
            assert await house.settle(registry) == "converged"
            assert await codes(house, registry) == []

    run_virtual(story())


def test_a_workspace_that_may_never_be_read_is_told_at_once_when_it_is_asked_for_again() -> None:
    """The ten minutes are not begun anew by each request, or a sweep would make ten looks of one."""

    async def story() -> None:
        house = House()
        neighbours = Neighbourhood(house)
        neighbours.share(neighbours.workspace(neighbours.account()))
        without(house, WORKSPACE)
        async with house:
            registry = await create(house)
            began = house.now()
            assert await house.settle(registry) == "converged"
            assert house.now() - began >= timedelta(minutes=10)
            assert "sharing-unreadable" in await codes(house, registry)

            asked = house.now()
            await house.ask(registry)
            assert await house.settle(registry) == "converged"
            assert house.now() - asked < timedelta(minutes=1)
            assert "sharing-unreadable" in await codes(house, registry)

    run_virtual(story())


def test_a_token_that_is_refused_for_a_while_costs_no_rule() -> None:
    async def story() -> None:
        house = House()
        neighbours = Neighbourhood(house)
        account = neighbours.account()
        workspace = neighbours.workspace(account)
        neighbours.share(workspace)
        async with house:
            house.azure.faults.add(
                Fault(
                    kind=FaultKind.RESPOND,
                    method="GET",
                    path=f"^{workspace.id}$",
                    status=401,
                    code="ExpiredAuthenticationToken",
                    message="The access token expiry time is earlier than current time.",
                    times=3,
                )
            )
            registry = await create(house)
            await house.live(house.after(LATE))

            assert registry.lower() in str(house.azure.require(account.id).properties).lower()
            assert await house.settle(registry) == "converged"

    run_virtual(story())


def test_a_token_that_is_refused_for_half_an_hour_is_waited_for_and_no_missing_right() -> None:
    """No role would help; Entra ID gets well by itself, or the identity gets a new token."""

    async def story() -> None:
        house = House()
        async with house:
            refused = Fault(
                kind=FaultKind.RESPOND,
                path="^/subscriptions/",
                status=401,
                code="ExpiredAuthenticationToken",
                message="The access token expiry time is earlier than current time.",
                times=1_000_000,
            )
            registry = await create(house)
            house.azure.faults.add(refused)
            await house.live(house.after(timedelta(minutes=30)))
            row = await house.row(registry)
            assert row is not None
            assert isinstance(row.outcome, Waiting)
            assert [reason.name for reason in row.outcome.reasons] == ["Unavailable"]

            house.azure.faults.clear()
            assert await house.settle(registry) == "converged"
            assert "blocked" not in await outcomes(house, registry)
            assert unisolated(house.azure, registry) == []

    run_virtual(story())
