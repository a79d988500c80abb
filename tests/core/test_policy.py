import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import InvalidPolicy
from shared.core.policy import IsolationPolicy
from shared.core.registry import TargetKind

SUB = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUB}/resourceGroups/rg-hub"
SUBNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/ws"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/st"
CASES = Path(__file__).parent / "cases" / "policy_refusals.jsonl"
REFUSALS: list[dict[str, Any]] = [json.loads(line) for line in CASES.read_text("utf-8").splitlines()]


def registry(name: str = "alpha", subscription: str = SUB) -> ResourceId:
    group = f"/subscriptions/{subscription}/resourceGroups/rg-ml"
    return ResourceId.parse(f"{group}/providers/Microsoft.MachineLearningServices/registries/{name}")


def network(name: str = "hub", **changed: Any) -> dict[str, Any]:
    return {"name": name, "subnet": SUBNET, "dns": {"zones_resource_group": GROUP}} | changed


def document(**changed: Any) -> dict[str, Any]:
    return {"version": 1, "mode": "enforce", "scope": {"subscriptions": [SUB]}, "networks": [network()]} | changed


def policy(**changed: Any) -> IsolationPolicy:
    return IsolationPolicy.from_document(document(**changed))


def problems(**changed: Any) -> list[str]:
    with pytest.raises(InvalidPolicy) as refused:
        policy(**changed)
    return list(refused.value.problems)


def test_what_is_not_said_is_the_safe_way_to_isolate_everything() -> None:
    found = policy()

    assert found.lockdown.when == "verified"
    assert found.lockdown.propagation_minutes == 15
    assert [kind.public_access for kind in (found.targets.registry, found.targets.storage, found.targets.acr)] == [
        "disabled"
    ] * 3
    assert found.targets.storage.subresources == ("blob",)
    assert (found.deletion.grace_minutes, found.deletion.endpoints, found.deletion.resource_rules) == (30, True, True)
    assert (found.limits.changes_per_registry, found.limits.registries_per_sweep) == (60, 500)
    assert found.networks_for(registry(), ("westeurope",)) == found.networks
    assert not found.exemptions


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        policy().mode = "audit"  # type: ignore[misc]


# --- networks ---------------------------------------------------------------------------------------------------------


def test_a_network_knows_its_virtual_network_and_where_its_endpoints_live() -> None:
    elsewhere = f"/subscriptions/{OTHER}/resourceGroups/rg-endpoints"
    plain, moved = policy(
        networks=[
            network(),
            network("other", endpoints_resource_group=elsewhere, serves={"registries": ["x"]}, subnet=SUBNET + "2"),
        ]
    ).networks

    assert plain.vnet_id == ResourceId.parse(SUBNET).parent
    assert plain.endpoints_group == ResourceId.parse(GROUP)
    assert moved.endpoints_group == ResourceId.parse(elsewhere)


@pytest.mark.parametrize(
    ("serves", "name", "regions", "served"),
    [
        ({}, "alpha", ("westeurope",), True),
        ({"registries": ["AL*"]}, "alpha", ("westeurope",), True),
        ({"registries": ["beta", "a?pha"]}, "Alpha", ("westeurope",), True),
        ({"registries": ["alph"]}, "alpha", ("westeurope",), False),
        ({"regions": ["west*"]}, "alpha", ("eastus", "westus"), True),
        ({"regions": ["West Europe"]}, "alpha", ("westeurope",), True),
        ({"regions": ["westeurope"]}, "alpha", ("West Europe",), True),
        ({"regions": ["north*"]}, "alpha", ("eastus", "westus"), False),
        ({"regions": ["*"]}, "alpha", (), False),
        ({"registries": ["alpha"], "regions": ["north*"]}, "alpha", ("westus",), False),
    ],
)
def test_a_network_serves_by_name_and_by_any_region(
    serves: dict[str, Any], name: str, regions: tuple[str, ...], *, served: bool
) -> None:
    found = policy(networks=[network(serves=serves)])

    assert bool(found.networks_for(registry(name), regions)) == served


def test_networks_come_in_the_files_order() -> None:
    found = policy(networks=[network("b"), network("a", subnet=SUBNET + "2")])

    assert [one.name for one in found.networks_for(registry(), ("westus",))] == ["b", "a"]


def test_one_subnet_may_serve_twice_if_no_registry_is_served_twice() -> None:
    assert policy(networks=[network("a", serves={"registries": ["a*"]}), network("b", serves={"registries": ["b*"]})])
    assert policy(networks=[network("a", serves={"regions": ["west*"]}), network("b", serves={"regions": ["east*"]})])
    assert problems(
        networks=[
            network("a", serves={"registries": ["a*"]}),
            network(
                "b",
                subnet=SUBNET.upper()
                .replace("/SUBSCRIPTIONS", "/subscriptions")
                .replace("RESOURCEGROUPS", "resourceGroups"),
                serves={"registries": ["*z"]},
            ),
        ]
    ) == ["networks[1].serves: networks[0] serves some of the same registries in this subnet"]


# --- scope, exemptions, sharing, egress -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "target", "tags", "inside"),
    [
        ({}, registry(), None, True),
        ({}, registry(subscription=OTHER), None, False),
        ({"registries": {"include": ["a*"]}}, registry(), {}, True),
        ({"registries": {"include": ["b*"]}}, registry(), {}, False),
        ({"registries": {"exclude": ["ALPH*"]}}, registry(), {}, False),
        ({"tags": {"exclude": {"Isolation": "off"}}}, registry(), {"isolation": "off"}, False),
        ({"tags": {"exclude": {"isolation": "off"}}}, registry(), {"isolation": "on"}, True),
        ({"tags": {"exclude": {"isolation": "off"}}}, registry(), {}, True),
        ({"tags": {"exclude": {"isolation": "off"}}}, registry(), None, True),
        ({"tags": {"exclude": {"a": "1", "b": "2"}}}, registry(), {"b": "2"}, False),
        ({"tags": {"exclude": {"sandbox": "*"}}}, registry(), {"sandbox": ""}, False),
        ({"tags": {"include": {"env": "prod", "team": "*"}}}, registry(), {"ENV": "prod", "team": "x"}, True),
        ({"tags": {"include": {"env": "prod", "team": "*"}}}, registry(), {"env": "prod"}, False),
        ({"tags": {"include": {"env": "prod"}}}, registry(), {"env": "PROD"}, False),
        ({"tags": {"include": {"env": "prod"}}}, registry(), None, True),
    ],
)
def test_scope_goes_by_subscription_name_and_tags(
    scope: dict[str, Any], target: ResourceId, tags: dict[str, str] | None, *, inside: bool
) -> None:
    assert policy(scope={"subscriptions": [SUB.upper()]} | scope).in_scope(target, tags) == inside


def test_an_exemption_holds_through_its_last_day_for_its_targets() -> None:
    entry = {"registry": "al*", "targets": ["acr"], "reason": "builds", "owner": "ml", "expires": "2027-01-31"}
    found = policy(exemptions=[entry, entry | {"registry": "*", "targets": ["storage"], "expires": date(2027, 2, 28)}])

    assert found.exempt_targets(registry(), on=date(2027, 1, 31)) == {TargetKind.ACR, TargetKind.STORAGE}
    assert found.exempt_targets(registry(), on=date(2027, 2, 1)) == {TargetKind.STORAGE}
    assert found.exempt_targets(registry("beta"), on=date(2027, 1, 1)) == {TargetKind.STORAGE}
    assert found.exemptions_for(registry(), on=date(2027, 3, 1)) == ()


def test_an_exemption_without_targets_exempts_everything() -> None:
    found = policy(exemptions=[{"registry": "*", "reason": "r", "owner": "o", "expires": "2027-01-31"}])

    assert found.exempt_targets(registry(), on=date(2027, 1, 1)) == set(TargetKind)


def test_sharing_and_egress_are_found_by_registry() -> None:
    found = policy(
        sharing=[
            {"registries": ["a*"], "workspaces": [WORKSPACE]},
            {"registries": ["b*"], "storage_accounts": [ACCOUNT]},
        ],
        egress=[{"registries": ["a*"], "nsg": NSG}, {"registries": ["b*"], "nsg": NSG, "mode": "enforce"}],
    )

    assert [entry.workspaces for entry in found.sharing_for(registry())] == [(ResourceId.parse(WORKSPACE),)]
    assert [entry.mode for entry in found.egress_for(registry("beta"))] == ["enforce"]
    assert found.sharing_for(registry("gamma")) == ()


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case["told"])
def test_what_cannot_be_meant_is_refused_at_its_path(case: dict[str, Any]) -> None:
    found = problems(**case["changed"])

    assert any(case["told"] in problem for problem in found), found


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(InvalidPolicy) as refused:
        IsolationPolicy.from_document(dict([*document().items(), (1, 2)]))

    assert refused.value.problems == ("[1]: keys should be strings",)


def test_no_network_is_needed_when_no_endpoint_is_wanted() -> None:
    off = {"endpoint": False}

    assert policy(networks=[], targets={"registry": off, "storage": off, "acr": off}).networks == ()
    assert problems(networks=[], targets={"registry": off, "storage": off}) == [
        "networks: at least one network is needed for the endpoints of acr (or set their endpoint: false)"
    ]


def test_every_problem_is_told_at_once_contradictions_included() -> None:
    found = problems(
        mode="on", limits={"changes": 1}, networks=[network(), network()], lockdown={"when": 5}, scope=None
    )

    assert len(found) == 6
    assert sum("networks[1]" in problem for problem in found) == 2


@pytest.mark.parametrize(("given", "told"), [(None, "is empty"), ([], "holds a list"), ("text", "holds a str")])
def test_a_document_that_is_no_mapping_is_refused(given: object, told: str) -> None:
    with pytest.raises(InvalidPolicy, match=told) as refused:
        IsolationPolicy.from_document(given, source="policy.yaml")

    assert refused.value.sentence.startswith("policy.yaml is not valid:")


def test_problems_come_in_the_order_of_the_lines_and_a_missing_key_at_what_misses_it() -> None:
    with pytest.raises(InvalidPolicy) as refused:
        IsolationPolicy.from_document(
            {"version": 1, "limits": {"changes_per_registry": 0}, "mode": "on", "networks": [{}]},
            places={(): (1, 1), ("limits", "changes_per_registry"): (3, 3), ("mode",): (4, 1), ("networks", 0): (6, 5)},
        )

    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "line 1, column 1",
        "line 3, column 3",
        "line 4, column 1",
        *["line 6, column 5"] * 3,
    ]
