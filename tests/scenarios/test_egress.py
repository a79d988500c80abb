"""The way out to public registries: security rules and service endpoint policies, audited and enforced."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from shared.core.report import Severity
from tests.scenarios.house import APP, House
from tests.scenarios.test_isolation import create
from tests.scenarios.verdict import unisolated
from tests.scenarios.ways_out import DENY_ALL, add_group, add_policy, found, rule, rules_of, stopped
from tests.virtual_time import run_virtual


def tell(story: Coroutine[Any, Any, None]) -> None:
    run_virtual(story)


def egress(house: House, *groups: str, mode: str = "enforce", **more: Any) -> None:
    house.document["egress"] = [{"registries": ["*"], "nsg": group, "mode": mode, **more} for group in groups]


async def codes(house: House, registry: str) -> list[str]:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return [finding.code for finding in row.report.findings if finding.severity is not Severity.INFO]


def app_writes(house: House, part: str, since: int = 0) -> list[Any]:
    return [call for call in house.writes(since) if part in call.url and call.principal == APP]


@pytest.mark.parametrize("regions", [("westeurope",), ("westeurope", "northeurope")])
def test_enforced_rules_let_clients_out_and_keep_every_other_rule(regions: tuple[str, ...]) -> None:
    async def story() -> None:
        house = House()
        inbound = rule("in", 3000, to="*", direction="Inbound")
        group = add_group(house, rules=[DENY_ALL, rule("own", 3001, to="Sql", ports="1433"), inbound])
        before = rules_of(house, group)
        egress(house, group)
        async with house:
            registry = await create(house, regions=regions)
            assert stopped(house, group, regions) != []

            assert await house.settle(registry) == "converged"

            assert stopped(house, group, regions) == []
            assert unisolated(house.azure, registry) == []
            after = rules_of(house, group)
            assert all(
                after[name] | {"provisioningState": ""} == properties | {"provisioningState": ""}
                for name, properties in before.items()
            )
            assert len(after) - len(before) == 3 + 3 * len(regions)
            made = sorted(properties["priority"] for name, properties in after.items() if name not in before)
            assert made == [3000, *range(3002, 3001 + len(made))]
            assert await codes(house, registry) == []

    tell(story())


def test_the_rules_are_those_of_the_documentation() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house, rules=[])
        egress(house, group)
        async with house:
            registry = await create(house)
            await house.settle(registry)

            learning = rules_of(house, group)["registry-isolation-AzureMachineLearning-tcp"]
            assert learning["destinationPortRanges"] == ["443", "8787", "18881"]
            assert (learning["access"], learning["direction"], learning["protocol"]) == ("Allow", "Outbound", "Tcp")
            assert (
                rules_of(house, group)["registry-isolation-AzureMachineLearning-udp"]["destinationPortRange"] == "5831"
            )
            assert sorted(rules_of(house, group)) == [
                "registry-isolation-AzureContainerRegistry.westeurope-tcp",
                "registry-isolation-AzureFrontDoor.FirstParty-tcp",
                "registry-isolation-AzureMachineLearning-tcp",
                "registry-isolation-AzureMachineLearning-udp",
                "registry-isolation-MicrosoftContainerRegistry.westeurope-tcp",
                "registry-isolation-Storage.westeurope-tcp",
            ]

    tell(story())


def test_a_second_pass_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        egress(house, add_group(house))
        async with house:
            registry = await create(house)
            await house.settle(registry)
            before = len(house.azure.log)

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert house.writes(before) == []
            assert len(house.azure.log[before:]) <= 13

    tell(story())


def test_nothing_is_read_of_groups_that_serve_other_registries() -> None:
    async def story() -> None:
        house = House()
        house.document["egress"] = [{"registries": ["other-*"], "nsg": add_group(house), "mode": "enforce"}]
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert [call for call in house.azure.log if "SecurityGroups" in call.url and call.principal == APP] == []

    tell(story())


def test_two_registries_in_one_region_share_their_rules() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group)
        async with house:
            first, second = await create(house, "first"), await create(house, "second")

            assert await house.settle(first) == "converged"
            assert await house.settle(second) == "converged"
            assert len(rules_of(house, group)) == 1 + 6
            third = await create(house, "third", regions=("northeurope",))
            assert await house.settle(third) == "converged"
            assert len(rules_of(house, group)) == 1 + 6 + 3
            assert stopped(house, group, ("westeurope", "northeurope")) == []

    tell(story())


def test_registries_that_meet_at_one_group_end_with_every_rule_though_azure_takes_one_write_at_a_time() -> None:
    async def story() -> None:
        house = House(options=Options(network_contention=True))
        group = add_group(house)
        egress(house, group)
        async with house:
            regions = ("westeurope", "northeurope", "eastus")
            registries = [await create(house, f"in{region}", regions=(region,)) for region in regions]

            for registry in registries:
                assert await house.settle(registry, timedelta(hours=4)) == "converged"
            assert stopped(house, group, regions) == []
            assert len(rules_of(house, group)) == 1 + 3 + 9

    tell(story())


def test_audit_reports_each_missing_rule_and_writes_none() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group, mode="audit")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert await codes(house, registry) == ["egress-rule-missing"] * 6
            assert list(rules_of(house, group)) == ["deny-all"]
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            sentences = [finding.sentence for finding in row.report.findings]
            assert any("TCP 443, 8787, 18881 to AzureMachineLearning" in sentence for sentence in sentences)

    tell(story())


def test_rules_that_somebody_else_made_are_accepted() -> None:
    async def story() -> None:
        house = House()
        ranges: dict[str, Any] = {"destinationPortRanges": ["443", "8000-9000", "18881"]}
        theirs = [
            rule("ml", 200, to="AzureMachineLearning", protocol="Tcp", ports="", **ranges),
            rule("ml-udp", 210, to="AzureMachineLearning", ports="5831", protocol="Udp"),
            rule("stores", 220, to="", ports="443", destinationAddressPrefixes=["Storage", "AzureContainerRegistry"]),
            rule("mcr", 230, to="MicrosoftContainerRegistry.WestEurope", ports="443"),
            rule("door", 240, to="AzureFrontDoor.FirstParty", ports="443"),
            DENY_ALL,
        ]
        group = add_group(house, rules=theirs)
        egress(house, group)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert len(rules_of(house, group)) == len(theirs)
            assert await codes(house, registry) == []

    tell(story())


def test_a_deny_rule_before_the_allowing_one_is_a_finding() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house, rules=[rule("no-storage", 150, to="Storage", access="Deny")])
        egress(house, group)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            (finding,) = [each for each in row.report.findings if each.severity is Severity.ERROR]
            assert (finding.code, finding.link) == ("egress-shadowed", "docs/findings.md#egress-shadowed")
            assert "no-storage (priority 150)" in finding.sentence
            assert str(finding.resource).endswith("/securityRules/no-storage")

    tell(story())


def test_a_group_without_free_priorities_blocks_and_the_registry_is_isolated_all_the_same() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group, priority_from=4096)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "blocked"
            assert unisolated(house.azure, registry) == []
            assert set(await codes(house, registry)) == {"egress-priorities-used-up"}

    tell(story())


@pytest.mark.parametrize(("mode", "outcome"), [("audit", "converged"), ("enforce", "blocked")])
def test_a_group_that_is_not_there_is_told_and_keeps_no_registry_open(mode: str, outcome: str) -> None:
    async def story() -> None:
        house = House()
        egress(house, add_group(house) + "-other", mode=mode)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == outcome
            assert unisolated(house.azure, registry) == []
            assert await codes(house, registry) == ["egress-group-unreadable"]

    tell(story())


def test_a_group_that_the_app_may_not_read_is_told_and_keeps_no_registry_open() -> None:
    async def story() -> None:
        house = House()
        egress(house, add_group(house), mode="audit")
        (assignment,) = house.azure.rbac.principals[APP].assignments
        kept = tuple(action for action in assignment.actions if "networkSecurityGroups" not in action)
        house.azure.rbac.principals[APP].assignments.clear()
        house.azure.rbac.principal(APP, actions=kept)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert await codes(house, registry) == ["egress-group-unreadable"]

    tell(story())


def test_a_priority_taken_by_somebody_else_meanwhile_is_replaced_by_a_free_one() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group)
        async with house:
            refusal = Fault(
                kind=FaultKind.RESPOND, method="PUT", path="securityRules/", status=400, code="SecurityRuleConflict"
            )
            house.azure.faults.add(refusal)
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert stopped(house, group, ("westeurope",)) == []

    tell(story())


def test_a_group_that_stays_busy_for_ever_keeps_no_registry_open() -> None:
    async def story() -> None:
        house = House()
        egress(house, add_group(house))
        async with house:
            house.azure.faults.add(Fault(kind=FaultKind.STUCK_OPERATION, method="PUT", path="securityRules/"))
            registry = await create(house)

            await house.settle(registry, timedelta(hours=1))
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_the_system_registry_is_allowed_and_other_definitions_stay() -> None:
    async def story() -> None:
        house = House()
        group, policy = add_group(house), add_policy(house)
        egress(house, group, service_endpoint_policy=policy)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            own, ours = found(house, policy).properties["serviceEndpointPolicyDefinitions"]
            assert own["name"] == "own"
            assert ours["properties"]["service"] == "Global"
            assert ours["properties"]["serviceResources"] == ["/services/Azure/MachineLearning"]
            assert len(app_writes(house, "serviceEndpointPolic")) == 1

    tell(story())


@pytest.mark.parametrize(("alias", "expected"), [(True, []), (False, ["endpoint-policy-alias-missing"])])
def test_an_audited_policy_without_the_alias_is_a_finding(alias: bool, expected: list[str]) -> None:  # noqa: FBT001
    async def story() -> None:
        house = House()
        group, policy = add_group(house, rules=[rule("out", 100, to="Internet")]), add_policy(house, alias=alias)
        egress(house, group, mode="audit", service_endpoint_policy=policy)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert await codes(house, registry) == expected
            assert app_writes(house, "serviceEndpointPolic") == []

    tell(story())


def test_audit_of_the_whole_policy_plans_the_rules_and_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        group = add_group(house)
        egress(house, group)
        house.document["mode"] = "audit"
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "audited"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert sum("in network security group nsg" in sentence for sentence in row.report.changes) == 6
            assert [call for call in house.writes() if call.principal == APP] == []

    tell(story())
