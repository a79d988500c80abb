"""Findings that no write can put right: when they come, what they say."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.lockdown import Memory
from shared.core.plan import Part
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import WORKSPACE_TYPE
from shared.core.registry import Registry, TargetKind
from shared.core.remarks import plan_remarks
from shared.core.report import Severity
from shared.core.workspace_network import Deployment, WorkspaceNetwork
from tests.core.worlds import NOW, a_network, a_policy, a_registry, closed, group_id, subnet_id

WORKSPACE = group_id("rg-ws").resource(WORKSPACE_TYPE, "ws")
DEPLOYMENT = WORKSPACE.child("onlineEndpoints", "ep").child("deployments", "blue")


def remarks(registry: Registry, policy: IsolationPolicy) -> Part:
    return plan_remarks(registry, policy, Memory(now=NOW))


def codes(registry: Registry, policy: IsolationPolicy) -> list[str]:
    return [finding.code for finding in remarks(registry, policy).findings]


def exempting(days: int, **changed: Any) -> IsolationPolicy:
    entry = {"registry": "alpha", "reason": "Why", "owner": "Who", "expires": NOW.date() + timedelta(days=days)}
    return a_policy(exemptions=[{**entry, **changed}])


def test_an_open_registry_costs_nothing_yet() -> None:
    policy = a_policy()

    assert remarks(a_registry(policy), policy) == Part()


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((TargetKind.ACR,), ["environment-builds"]),
        ((TargetKind.REGISTRY,), ["metadata-public", "studio-limits"]),
        ((TargetKind.STORAGE,), []),
        (tuple(TargetKind), ["environment-builds", "metadata-public", "studio-limits"]),
    ],
)
def test_each_closed_part_has_its_price(kinds: tuple[TargetKind, ...], expected: list[str]) -> None:
    policy = a_policy()

    assert codes(closed(a_registry(policy), *kinds), policy) == expected


@pytest.mark.parametrize(
    ("days", "code", "words"),
    [
        (15, "exemption-active", "until 2026-01-20"),
        (14, "exemption-expiring", "14 days left"),
        (1, "exemption-expiring", "1 day left"),
        (0, "exemption-expiring", "0 days left"),
        (-1, "exemption-expired", "ended after 2026-01-04"),
    ],
)
def test_an_exemption_tells_how_long_it_holds(days: int, code: str, words: str) -> None:
    policy = exempting(days)

    (finding,) = remarks(a_registry(policy), policy).findings

    assert finding.code == code
    assert (finding.severity is Severity.INFO) == (code == "exemption-active")
    assert words in finding.sentence
    assert "Why" in finding.sentence
    assert "Who" in finding.sentence


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (["acr"], "ontainer registry of registry alpha"),
        (["storage", "acr"], "torage and container registry of"),
        (["registry", "storage", "acr"], "he registry itself, storage and container registry of"),
    ],
)
def test_an_exemption_names_its_targets(targets: list[str], words: str) -> None:
    policy = exempting(30, targets=targets)

    (finding,) = remarks(a_registry(policy), policy).findings

    assert words in finding.sentence


def test_an_exemption_of_another_registry_is_not_told() -> None:
    policy = exempting(3, registry="beta")

    assert remarks(a_registry(policy), policy) == Part()


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ((), []),
        (("hub",), []),
        (("spoke",), []),
        (("else", "spoke"), []),
        (("else",), ["workspace-subnet-differs"]),
    ],
)
def test_one_shared_subnet_is_enough(theirs: tuple[str, ...], expected: list[str]) -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-spoke"))
    seen = WorkspaceNetwork(workspace=WORKSPACE, subnets=tuple(subnet_id(name) for name in theirs))

    assert codes(replace(a_registry(policy), workspaces=(seen,)), policy) == expected


def test_a_registry_without_networks_has_no_subnet_to_differ_from() -> None:
    left = {"endpoint": False}
    policy = a_policy(networks=[], targets={"registry": left, "storage": left, "acr": left})
    seen = WorkspaceNetwork(workspace=WORKSPACE, subnets=(subnet_id("else"),))

    assert codes(replace(a_registry(policy), workspaces=(seen,)), policy) == []


def test_deployments_and_problems_are_told_one_by_one() -> None:
    policy = a_policy()
    seen = WorkspaceNetwork(
        workspace=WORKSPACE,
        open_deployments=(Deployment(id=DEPLOYMENT, state="Enabled"),),
        problems=("One.", "Two."),
    )

    found = remarks(replace(a_registry(policy), workspaces=(seen,)), policy).findings

    assert [(finding.code, finding.resource) for finding in found] == [
        ("workspace-unreadable", WORKSPACE),
        ("workspace-unreadable", WORKSPACE),
        ("deployment-egress-open", DEPLOYMENT),
    ]
    assert "Deployment blue of endpoint ep in workspace ws" in found[-1].sentence
