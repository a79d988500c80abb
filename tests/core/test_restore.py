"""Restoring: exactly the snapshot, once, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.registry import Access, Json, Target, TargetKind
from shared.core.restore import RestoreSettings, body_of, holds, plan_restoring
from shared.core.storage_rules import AddedRule, ResourceRule
from tests.core.perfect_restore import restored
from tests.core.worlds import a_policy, a_registry

REGISTRY = a_registry(a_policy())
OWN, STORAGE, ACR = REGISTRY.targets
ACLS: dict[str, Json] = {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7", "action": "Allow"}]}


def target(kind: TargetKind = TargetKind.STORAGE, access: Access = Access.CLOSED, **settings: Json) -> Target:
    plain = next(each for each in REGISTRY.targets if each.kind is kind)
    return replace(plain, access=access, network_settings=settings)


def plan_one(now: Target, **snapshot: Json) -> tuple[RestoreSettings, ...]:
    return plan_restoring({now.id.key: snapshot}, (now,))


def test_a_closed_target_gets_back_every_member_of_its_snapshot() -> None:
    (change,) = plan_one(target(publicNetworkAccess="Disabled"), publicNetworkAccess="Enabled", networkAcls=ACLS)

    assert change.settings == {"publicNetworkAccess": "Enabled", "networkAcls": ACLS}
    assert change.sentence == f"restore networkAcls and publicNetworkAccess of storage {STORAGE.id.name}"


def test_public_access_that_was_absent_was_enabled() -> None:
    (change,) = plan_one(target())
    assert change.settings == {"publicNetworkAccess": "Enabled"}


def test_what_was_closed_before_stays_closed() -> None:
    assert plan_one(target(publicNetworkAccess="Disabled"), publicNetworkAccess="disabled") == ()


def test_the_default_action_of_a_container_registrys_rules_is_restored_although_public_access_is_right() -> None:
    now = target(TargetKind.ACR, Access.OPEN, publicNetworkAccess="Enabled", networkRuleSet={"defaultAction": "Deny"})
    (change,) = plan_one(now, publicNetworkAccess="Enabled", networkRuleSet={"defaultAction": "Allow"})
    assert change.settings["networkRuleSet"] == {"defaultAction": "Allow"}


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        (ACLS, {**ACLS, "ipv6Rules": []}, True),
        (ACLS, {**ACLS, "ipRules": []}, False),
        ({**ACLS, "virtualNetworkRules": [{"id": "a", "state": "Succeeded"}]},
         {**ACLS, "virtualNetworkRules": [{"id": "a", "state": "Deprovisioning"}]}, True),
        ({"ipRules": [{"value": "1"}, {"value": "2"}]}, {"ipRules": [{"value": "2"}, {"value": "1"}]}, True),
        ({"bypass": "None"}, {"bypass": "AzureServices"}, False),
        (ACLS, None, False),
    ],
)  # fmt: skip
def test_only_what_says_something_else_is_written(then: Json, now: Json, *, same: bool) -> None:
    assert (plan_one(target(access=Access.OPEN, networkAcls=now), networkAcls=then) == ()) is same


def test_read_only_members_are_not_sent() -> None:
    rules: list[Json] = [{"id": "a", "action": "Allow", "state": "Succeeded"}]
    (change,) = plan_one(target(), networkAcls={"virtualNetworkRules": rules})
    assert change.settings["networkAcls"] == {"virtualNetworkRules": [{"id": "a", "action": "Allow"}]}


def test_a_target_without_a_snapshot_is_left_alone() -> None:
    assert plan_restoring({}, REGISTRY.targets) == ()


THEIRS: dict[str, Json] = {"value": "198.51.100.9", "action": "Allow"}


def test_a_rule_that_somebody_added_since_stays() -> None:
    later = target(networkAcls={**ACLS, "ipRules": [THEIRS], "ipv6Rules": [{"value": "2001:db8::/56"}]})
    (change,) = plan_one(later, networkAcls=ACLS)

    written = body_of(later, change)["networkAcls"]

    assert written == {**ACLS, "ipRules": [*ACLS["ipRules"], THEIRS], "ipv6Rules": [{"value": "2001:db8::/56"}]}  # type: ignore[misc]


def test_a_rule_that_is_there_in_another_casing_is_not_added_twice() -> None:
    rule: Json = {"tenantId": "t", "resourceId": "/subscriptions/s/one"}
    shown: Json = {"tenantId": "T", "resourceId": "/SUBSCRIPTIONS/s/one"}
    now = target(networkAcls={"resourceAccessRules": [shown]})
    (change,) = plan_one(now, networkAcls={"resourceAccessRules": [rule]})

    assert body_of(now, change)["networkAcls"] == {"resourceAccessRules": [rule]}


GUEST = ResourceRule(tenant="t", resource=ACR.id)
SHOWN: Json = {"tenantId": "T", "resourceId": GUEST.resource.text.upper()}


@pytest.mark.parametrize("before", [[], [SHOWN]])
@pytest.mark.parametrize("mine", [True, False])
def test_a_rule_that_the_app_added_goes_even_if_it_was_there_at_the_last_closing(
    before: list[Json],
    mine: bool,  # noqa: FBT001 -- a row of a table
) -> None:
    now = target(networkAcls={"resourceAccessRules": [SHOWN]})
    snapshot: dict[str, Json] = {"networkAcls": {"defaultAction": "Allow", "resourceAccessRules": before}}
    added = [AddedRule(account=now.id if mine else ACR.id, tenant="t", resource=GUEST.resource)]

    (change,) = plan_restoring({now.id.key: snapshot}, (now,), added)

    written = body_of(now, change)["networkAcls"]
    assert isinstance(written, dict)
    assert written["resourceAccessRules"] == ([] if mine else [SHOWN])


RULES = st.lists(st.fixed_dictionaries({"value": st.sampled_from(["1", "2", "3"])}), max_size=3)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "publicNetworkAccess": st.sampled_from(["Enabled", "Disabled", None]),
        "networkAcls": st.fixed_dictionaries(
            {"defaultAction": st.sampled_from(["Allow", "Deny"])}, optional={"ipRules": RULES}
        ),
    },
)


@given(SETTINGS, SETTINGS)
def test_restoring_holds_afterwards_and_is_not_repeated(then: dict[str, Any], now: dict[str, Any]) -> None:
    closed = Access.CLOSED if now.get("publicNetworkAccess") == "Disabled" else Access.OPEN
    found = replace(STORAGE, access=closed, network_settings=now)
    world = replace(REGISTRY, targets=(OWN, found, ACR))

    for change in plan_restoring({STORAGE.id.key: then}, world.targets):
        world = restored(world, change)
        assert holds(world.targets[1], change)

    assert plan_restoring({STORAGE.id.key: then}, world.targets) == ()
    assert rules_of(then) | rules_of(now) == rules_of(world.targets[1].network_settings)


def rules_of(settings: Any) -> set[str]:
    return {rule["value"] for rule in (settings.get("networkAcls") or {}).get("ipRules", ())}
