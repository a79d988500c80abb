"""Merging on raw JSON: everything comes back, nothing opens, nothing is added twice."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.registry import STORAGE_TYPE
from shared.core.storage_rules import (
    AddedRule,
    AddResourceRules,
    RemoveResourceRules,
    ResourceRule,
    addition,
    count_rules,
    forgotten,
    missing_rules,
    open_to_all,
    remembered,
    removal,
    removals,
)
from tests.core.worlds import group_id, registry_id

TENANT = "AAAAAAAA-0000-4000-8000-000000000001"
ACCOUNT = group_id("rg-ws").resource(STORAGE_TYPE, "stshared")
OTHER = group_id("rg-ws").resource(STORAGE_TYPE, "stother")


def rule(name: str = "alpha", tenant: str = TENANT) -> ResourceRule:
    return ResourceRule(tenant=tenant, resource=registry_id(name))


def adding(*rules: ResourceRule, select: bool = False, account: ResourceId = ACCOUNT) -> AddResourceRules:
    return AddResourceRules(account=account, rules=rules, select_networks=select)


def after(settings: dict[str, Any], change: AddResourceRules | RemoveResourceRules) -> dict[str, Any]:
    """The account after the PATCH, as Azure would have it: members of `properties` are replaced as wholes."""
    body = addition(settings, change) if isinstance(change, AddResourceRules) else removal(settings, change)
    return {**settings, **(body or {})}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["alpha", "beta", "gamma"])
RULES = st.builds(
    lambda name, upper: {
        "tenantId": TENANT.lower() if upper else TENANT,
        "resourceId": registry_id(name).text.upper() if upper else registry_id(name).text,
    },
    NAMES,
    st.booleans(),
)
FOREIGN = st.builds(
    lambda number, more: {"tenantId": "t", "resourceId": f"/subscriptions/x/workspaces/{number}", **more},
    st.integers(0, 9),
    st.dictionaries(st.sampled_from(["note", "since"]), VALUES, max_size=1),
)
ACLS = st.fixed_dictionaries(
    {"defaultAction": st.sampled_from(["Allow", "Deny", "deny"])},
    optional={
        "bypass": st.sampled_from(["None", "AzureServices", "Logging, Metrics"]),
        "ipRules": st.lists(
            st.fixed_dictionaries({"value": st.text(max_size=9), "action": st.just("Allow")}), max_size=3
        ),
        "ipv6Rules": st.lists(VALUES, max_size=2),
        "virtualNetworkRules": st.lists(
            st.fixed_dictionaries({"id": st.text(max_size=9)}, optional={"state": st.just("Succeeded")}), max_size=2
        ),
        "resourceAccessRules": st.none() | st.lists(RULES | FOREIGN | VALUES, max_size=4),
        "somethingNewer": VALUES,
    },
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "publicNetworkAccess": st.sampled_from(["Enabled", "Disabled", "disabled", "SecuredByPerimeter"]) | st.none(),
        "networkAcls": ACLS | st.none(),
    },
)
CHANGES = st.builds(
    lambda names, select: adding(*(rule(name) for name in names), select=select),
    st.lists(NAMES, max_size=3),
    st.booleans(),
)


def foreign(settings: dict[str, Any], change: AddResourceRules | RemoveResourceRules) -> list[object]:
    """Entries of the rules that have nothing to do with *change*."""
    named = {each.resource.key for each in change.rules}
    listed = (settings.get("networkAcls") or {}).get("resourceAccessRules") or []
    return [each for each in listed if not (isinstance(each, dict) and str(each.get("resourceId")).lower() in named)]


@given(settings=SETTINGS, change=CHANGES)
@settings_of(deadline=None)
def test_an_addition_holds_afterwards_and_is_not_repeated(settings: dict[str, Any], change: AddResourceRules) -> None:
    done = after(settings, change)

    assert missing_rules(done, change.rules) == ()
    assert addition(done, change) is None


@given(settings=SETTINGS, change=CHANGES)
@settings_of(deadline=None)
def test_an_addition_sends_back_everything_else_as_it_was_read(
    settings: dict[str, Any], change: AddResourceRules
) -> None:
    before = deepcopy(settings)

    body = addition(settings, change)

    assert settings == before
    if body is None:
        return
    read = before.get("networkAcls") or {}
    sent = body["networkAcls"]
    own = {"resourceAccessRules", "defaultAction", "virtualNetworkRules"}
    assert {name: value for name, value in sent.items() if name not in own} == {
        name: value for name, value in read.items() if name not in own
    }
    listed = read.get("resourceAccessRules") or []
    assert (sent.get("resourceAccessRules") or [])[: len(listed)] == listed
    stateless = [{"id": each["id"]} for each in read.get("virtualNetworkRules", [])]
    assert sent.get("virtualNetworkRules", []) == stateless


@given(settings=SETTINGS, change=CHANGES)
@settings_of(deadline=None)
def test_nothing_the_app_sends_opens_an_account(settings: dict[str, Any], change: AddResourceRules) -> None:
    body = addition(settings, change)
    done = after(settings, change)

    assert not open_to_all(done) or open_to_all(settings)
    if body is None or not change.select_networks:
        assert done.get("publicNetworkAccess") == settings.get("publicNetworkAccess")
        action = (settings.get("networkAcls") or {}).get("defaultAction", "Allow")
        assert (done.get("networkAcls") or {}).get("defaultAction", "Allow") == action
    if body is not None and body.get("publicNetworkAccess") == "Enabled":
        assert body["networkAcls"]["defaultAction"] == "Deny"


@given(settings=SETTINGS, change=CHANGES)
@settings_of(deadline=None)
def test_a_removal_takes_away_what_was_added_and_nothing_else(
    settings: dict[str, Any], change: AddResourceRules
) -> None:
    taking = RemoveResourceRules(account=ACCOUNT, rules=change.rules)
    done = after(after(settings, change), taking)

    assert foreign(done, taking) == foreign(settings, taking)
    assert removal(done, taking) is None
    assert len(missing_rules(done, change.rules)) == len({each.key for each in change.rules})


@pytest.mark.parametrize("select", [False, True])
def test_a_perimeter_is_never_lifted(select: bool) -> None:  # noqa: FBT001 -- a row of a table
    settings = {"publicNetworkAccess": "SecuredByPerimeter", "networkAcls": {"defaultAction": "Allow"}}

    assert "publicNetworkAccess" not in (addition(settings, adding(rule(), select=select)) or {})


def test_the_same_resource_in_another_tenant_is_another_rule() -> None:
    settings = {"networkAcls": {"defaultAction": "Deny", "resourceAccessRules": [
        {"tenantId": "somewhere-else", "resourceId": registry_id().text}
    ]}}  # fmt: skip

    assert missing_rules(settings, [rule()]) == (rule(),)
    assert count_rules(after(settings, adding(rule()))) == 2


def test_what_was_added_is_remembered_once_and_forgotten_when_it_is_gone() -> None:
    changes = (adding(rule("alpha"), rule("beta")), adding(rule("alpha"), account=OTHER))

    kept = remembered(remembered((), changes), changes)

    assert len(kept) == 3
    first, second = removals(kept)
    assert first == RemoveResourceRules(account=ACCOUNT, rules=(rule("alpha"), rule("beta")))
    assert forgotten(kept, first) == (AddedRule(account=OTHER, tenant=TENANT, resource=registry_id("alpha")),)
    assert forgotten(forgotten(kept, first), second) == ()
    assert forgotten(kept, changes[0]) == kept
