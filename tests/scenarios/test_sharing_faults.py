"""Whatever goes wrong while a rule is written: it is there once in the end, and everybody else's are too."""

from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from tests.scenarios.house import House
from tests.scenarios.sharing import BUSY_ACLS, Neighbourhood, acls_of, foreign_rule, let_in
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.verdict import unisolated

FAULTS: dict[str, dict[str, Any]] = {
    "busy": {"method": "PATCH", "status": 409, "code": "StorageAccountOperationInProgress", "message": "Busy."},
    "throttled": {"method": "PATCH", "status": 429, "code": "TooManyRequests", "headers": {"Retry-After": "17"}},
    "unavailable for long": {"method": "PATCH", "times": 12},
    "unreadable for long": {"method": "GET", "times": 12},
    "answer lost": {"method": "PATCH", "kind": FaultKind.LOSE_RESPONSE},
    "connection reset": {"method": "PATCH", "kind": FaultKind.RESET},
    "stale after the write": {"method": "GET", "kind": FaultKind.STALE_READ, "skip": 2},
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_delays_the_rule_and_nothing_else(name: str) -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        before = acls_of(house.azure, account)
        async with house:
            registry = await create(house)
            house.azure.faults.add(
                Fault(**{"kind": FaultKind.RESPOND, "path": "/storageAccounts/stshared$", **FAULTS[name]})
            )

            assert await house.settle(registry) == "converged"

            assert unisolated(house.azure, registry) == []
            assert let_in(house.azure, account) == [foreign_rule("theirs")["resourceId"], registry]
            assert acls_of(house.azure, account)["ipRules"] == before["ipRules"]
            assert acls_of(house.azure, account)["ipv6Rules"] == before["ipv6Rules"]

    tell(story())


def test_a_policy_of_the_tenant_that_forbids_the_write_blocks_with_its_name() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        near.share(near.workspace(near.account()), public_access="selected-networks")
        async with house:
            registry = await create(house)
            message = (
                'Resource \'stshared\' was disallowed by policy. Policy identifiers: \'[{"policyAssignment":{"name":'
                '"Deny public storage","id":"/subscriptions/x/providers/Microsoft.Authorization/policyAssignments/deny"}}]\'.'
            )
            house.azure.faults.add(
                Fault(
                    kind=FaultKind.RESPOND,
                    method="PATCH",
                    path="/storageAccounts/stshared$",
                    status=403,
                    code="RequestDisallowedByPolicy",
                    message=message,
                    times=99,
                )
            )

            assert await house.settle(registry) == "blocked"
            assert unisolated(house.azure, registry) == []
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert [reason.name for reason in row.report.reasons] == ["DeniedByPolicy"]
            (found,) = (each for each in row.report.findings if each.code == "policy-conflict")
            assert "Deny public storage" in found.sentence
            assert str(found.resource).endswith("/storageAccounts/stshared")
            assert found.link == "docs/findings.md#policy-conflict"

            house.azure.faults.clear()
            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert "policy-conflict" not in {each.code for each in row.report.findings}

    tell(story())


def test_a_process_that_dies_in_the_middle_leaves_one_rule_and_knows_that_it_is_its_own() -> None:
    async def story() -> None:
        house = House()
        near = Neighbourhood(house)
        account = near.account(acls=BUSY_ACLS)
        near.share(near.workspace(account))
        async with house:
            registry = await create(house)
            await house.live(house.wrote("stshared"))
            await house.stop()
            house.install()

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert let_in(house.azure, account).count(registry) == 1
            row = await house.row(registry)
            assert row is not None
            assert [added.resource.text for added in row.rules_added] == [registry]

    tell(story())
