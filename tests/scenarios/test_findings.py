"""What no write can put right is told, each with its section of the documentation."""

from collections.abc import Coroutine
from datetime import date, timedelta
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from local.simulator.world import Resource
from shared.core.report import Finding
from tests.scenarios.house import APP, House
from tests.scenarios.test_isolation import create
from tests.scenarios.verdict import unisolated
from tests.virtual_time import EPOCH, run_virtual

ALWAYS = ["environment-builds", "metadata-public", "studio-limits"]
TODAY = EPOCH.date()


def tell(story: Coroutine[Any, Any, None]) -> None:
    run_virtual(story)


async def findings(house: House, registry: str) -> dict[str, Finding]:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return {finding.code: finding for finding in row.report.findings}


def exemption(expires: date, *targets: str) -> dict[str, Any]:
    asked = {"targets": list(targets)} if targets else {}
    return {"registry": "con*", "reason": "A test runs", "owner": "ops@example.com", "expires": expires, **asked}


def test_what_isolation_costs_is_told_once_it_holds() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            found = await findings(house, registry)
            assert list(found) == ALWAYS
            assert "share them to the registry" in found["environment-builds"].sentence
            assert {finding.severity.value for finding in found.values()} == {"info"}
            assert found["studio-limits"].link == "docs/findings.md#studio-limits"

    tell(story())


def test_a_container_registry_that_stays_open_can_still_build() -> None:
    async def story() -> None:
        house = House(options=Options(public_access_propagates=False))
        house.document["targets"] = {"acr": {"public_access": "keep"}}
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert list(await findings(house, registry)) == ["metadata-public", "studio-limits"]

    tell(story())


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (15, "exemption-active"),
        (14, "exemption-expiring"),
        (1, "exemption-expiring"),
        (0, "exemption-expiring"),
        (-1, "exemption-expired"),
    ],
)
def test_an_exemption_is_told_and_becomes_a_warning_two_weeks_before_its_end(days: int, code: str) -> None:
    async def story() -> None:
        house = House()
        house.document["exemptions"] = [exemption(TODAY + timedelta(days=days), "acr")]
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            found = await findings(house, registry)
            (told,) = [finding for finding in found.values() if finding.code.startswith("exemption")]
            assert told.code == code
            assert "Container registry" in told.sentence or "container registry" in told.sentence
            assert "A test runs" in told.sentence
            assert "ops@example.com" in told.sentence
            assert (len(house.endpoints()) == 3) == (days < 0)

    tell(story())


def test_a_registry_that_is_wholly_exempt_is_left_alone_and_says_so() -> None:
    async def story() -> None:
        house = House()
        house.document["exemptions"] = [exemption(TODAY + timedelta(days=30))]
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert [call for call in house.writes() if call.principal == APP] == []
            assert list(await findings(house, registry)) == ["exemption-active"]

    tell(story())


# --- audit and scope --------------------------------------------------------------------------------------------------


def test_audit_tells_the_plan_and_the_findings_and_writes_nothing() -> None:
    async def story() -> None:
        house = House()
        house.document["mode"] = "audit"
        house.document["exemptions"] = [exemption(TODAY + timedelta(days=3), "acr")]
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "audited"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert sum(sentence.startswith("create private endpoint") for sentence in row.report.changes) == 2
            assert "exemption-expiring" in await findings(house, registry)
            assert row.report.digest != ""
            assert [call for call in house.writes() if call.principal == APP] == []

    tell(story())


@pytest.mark.parametrize(
    ("scope", "tags", "looked_after"),
    [
        ({"registries": {"include": ["con*"]}}, {}, True),
        ({"registries": {"include": ["other-*"]}}, {}, False),
        ({"registries": {"exclude": ["CONTOSO"]}}, {}, False),
        ({"registries": {"exclude": ["contos"]}}, {}, True),
        ({"subscriptions": ["99999999-2222-4333-8444-555555555555"]}, {}, False),
        ({"tags": {"exclude": {"isolation": "off"}}}, {"Isolation": "off"}, False),
        ({"tags": {"exclude": {"isolation": "off"}}}, {"isolation": "on"}, True),
        ({"tags": {"include": {"env": "*"}}}, {}, False),
        ({"tags": {"include": {"env": "*"}}}, {"env": "prod"}, True),
    ],
)
def test_the_scope_decides_whom_the_app_looks_after(
    scope: dict[str, Any],
    tags: dict[str, str],
    looked_after: bool,  # noqa: FBT001
) -> None:
    async def story() -> None:
        house = House()
        house.document["scope"] |= scope
        async with house:
            scenery.put_registry(house.azure, "contoso", ("westeurope",), house.now())
            registry = scenery.registry_id(house.scene.registries_group, "contoso")
            await house.live(house.exists(registry))
            there = house.azure.world.get(registry)
            assert there is not None
            there.body["tags"] = tags
            await house.ask(registry)

            assert await house.settle(registry) == ("converged" if looked_after else "exempt")
            assert (unisolated(house.azure, registry) == []) == looked_after

    tell(story())


def test_a_refusal_by_azure_policy_names_the_assignment() -> None:
    async def story() -> None:
        async with House() as house:
            sentence = (
                'Resource was disallowed by policy. Identifiers: \'[{"policyAssignment":{"name":"Keep open"}}]\'.'
            )
            refusal = Fault(
                kind=FaultKind.RESPOND,
                method="PUT",
                path="/privateEndpoints/",
                times=1000,
                status=403,
                code="RequestDisallowedByPolicy",
                message=sentence,
            )
            house.azure.faults.add(refusal)
            registry = await create(house)

            assert await house.settle(registry) == "blocked"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            assert any(
                reason.name == "DeniedByPolicy" and "Keep open" in reason.sentence for reason in row.report.reasons
            )

    tell(story())


# --- workspaces -------------------------------------------------------------------------------------------------------


def add_workspace(house: House, subnet: str, **properties: Any) -> Resource:
    """A workspace with a private endpoint in *subnet* and a storage account."""
    account = f"{house.scene.registries_group}/providers/Microsoft.Storage/storageAccounts/stworkspace"
    body = {
        "location": "westeurope",
        "sku": {"name": "Standard_LRS"},
        "kind": "StorageV2",
        "properties": {"networkAcls": {"defaultAction": "Deny"}},
    }
    scenery.send(house.azure, "PUT", account, body, api_version="2023-05-01")
    path = f"{house.scene.registries_group}/providers/Microsoft.MachineLearningServices/workspaces/ws"
    made = {"location": "westeurope", "properties": {"storageAccount": account, **properties}}
    scenery.send(house.azure, "PUT", path, made, api_version="2024-04-01")
    scenery.rest(house.azure)
    endpoint = f"{house.scene.network_group}/providers/Microsoft.Network/privateEndpoints/pe-ws"
    link = {"name": "ws", "properties": {"privateLinkServiceId": path, "groupIds": ["amlworkspace"]}}
    asked = {
        "location": "westeurope",
        "properties": {"subnet": {"id": subnet}, "privateLinkServiceConnections": [link]},
    }
    scenery.send(house.azure, "PUT", endpoint, asked, api_version=scenery.NETWORK_API)
    scenery.rest(house.azure)
    found = house.azure.world.get(path)
    assert found is not None
    house.document["sharing"] = [{"registries": ["*"], "workspaces": [path]}]
    return found


def add_deployment(house: House, workspace: Resource, name: str, **properties: Any) -> str:
    """An online endpoint of one deployment; gives the deployment's id."""
    kind = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
    endpoint = f"{workspace.id}/onlineEndpoints/{name}"
    house.azure.world.put({"id": endpoint, "name": name, "type": kind, "properties": {}})
    deployment = f"{endpoint}/deployments/blue"
    house.azure.world.put({"id": deployment, "name": "blue", "type": f"{kind}/deployments", "properties": properties})
    return deployment


def test_a_workspace_whose_endpoint_is_in_another_subnet_is_told() -> None:
    async def story() -> None:
        house = House()
        elsewhere = house.add_network("spoke", "10.9.0.0/16")
        house.document["networks"] = house.document["networks"][:1]
        add_workspace(house, elsewhere)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            told = (await findings(house, registry))["workspace-subnet-differs"]
            assert elsewhere in told.sentence
            assert house.scene.subnet in told.sentence
            assert str(told.resource).endswith("/workspaces/ws")

    tell(story())


def test_a_workspace_in_the_same_subnet_is_not() -> None:
    async def story() -> None:
        house = House()
        add_workspace(house, house.scene.subnet)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert list(await findings(house, registry)) == ALWAYS

    tell(story())


def test_deployments_that_may_call_out_are_told_and_others_not() -> None:
    async def story() -> None:
        house = House()
        workspace = add_workspace(house, house.scene.subnet)
        managed = {"endpointComputeType": "Managed"}
        opened = add_deployment(house, workspace, "open", egressPublicNetworkAccess="Enabled", **managed)
        silent = add_deployment(house, workspace, "silent", **managed)
        add_deployment(house, workspace, "closed", egressPublicNetworkAccess="disabled", **managed)
        add_deployment(house, workspace, "cluster", endpointComputeType="Kubernetes")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            row = await house.row(registry)
            assert row is not None
            assert row.report is not None
            told = [finding for finding in row.report.findings if finding.code == "deployment-egress-open"]
            assert sorted(str(finding.resource) for finding in told) == sorted([opened, silent])
            assert "Deployment blue of endpoint open in workspace ws" in told[0].sentence

    tell(story())


def test_a_managed_network_decides_for_its_deployments() -> None:
    async def story() -> None:
        house = House()
        managed = {"managedNetwork": {"isolationMode": "AllowOnlyApprovedOutbound"}}
        workspace = add_workspace(house, house.scene.subnet, **managed)
        add_deployment(house, workspace, "open", endpointComputeType="Managed")
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert "deployment-egress-open" not in await findings(house, registry)
            assert not [call for call in house.azure.log if "onlineEndpoints" in call.url]

    tell(story())


def test_deployments_that_the_app_may_not_read_are_told_and_keep_no_registry_open() -> None:
    async def story() -> None:
        house = House()
        add_workspace(house, house.scene.subnet)
        (assignment,) = house.azure.rbac.principals[APP].assignments
        kept = tuple(action for action in assignment.actions if "onlineEndpoints" not in action)
        house.azure.rbac.principals[APP].assignments.clear()
        house.azure.rbac.principal(APP, actions=kept)
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert "workspace-unreadable" in await findings(house, registry)

    tell(story())
