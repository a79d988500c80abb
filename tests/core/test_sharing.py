"""Which accounts must let whom in, and what is said about those that cannot."""

from dataclasses import replace
from typing import Any

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import InvalidPolicy
from shared.core.lockdown import Memory
from shared.core.plan import Part
from shared.core.policy import IsolationPolicy
from shared.core.policy_values import WORKSPACE_TYPE
from shared.core.registry import STORAGE_TYPE, Registry, TargetKind
from shared.core.sharing import plan_sharing
from shared.core.sharing_view import SharingView, Unreadable, Workspace
from shared.core.storage_rules import AddedRule, AddResourceRules, RemoveResourceRules, ResourceRule
from tests.core.worlds import NOW, a_policy, a_registry, group_id, only, registry_id

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
OWN = ResourceRule(tenant=TENANT, resource=registry_id())
CLOSED: dict[str, Any] = {"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Deny"}}


def workspace_id(name: str = "ws") -> ResourceId:
    return group_id("rg-ws").resource(WORKSPACE_TYPE, name)


def account_id(name: str = "stws") -> ResourceId:
    return group_id("rg-ws").resource(STORAGE_TYPE, name)


def a_sharing_policy(*entries: dict[str, Any], **sections: Any) -> IsolationPolicy:
    return a_policy(sharing=[{"registries": ["*"], **entry} for entry in entries], **sections)


def a_view(*workspaces: Workspace, **members: Any) -> SharingView:
    accounts = {workspace.storage_account: CLOSED for workspace in workspaces if workspace.storage_account}
    return replace(SharingView(tenant=TENANT, workspaces=workspaces, accounts=accounts), **members)


def a_workspace(name: str = "ws", account: str = "stws") -> Workspace:
    return Workspace(id=workspace_id(name), storage_account=account_id(account) if account else None)


def planned(policy: IsolationPolicy, view: SharingView | None, **memory: Any) -> Part:
    return plan_sharing(replace(a_registry(policy), sharing=view), policy, Memory(now=NOW, **memory))


def held(*rules: ResourceRule, **settings: Any) -> dict[str, Any]:
    listed = [{"tenantId": rule.tenant, "resourceId": rule.resource.text} for rule in rules]
    return {**CLOSED, "networkAcls": {"defaultAction": "Deny", "resourceAccessRules": listed}, **settings}


def added(account: ResourceId, resource: ResourceId | None = None) -> AddedRule:
    return AddedRule(account=account, tenant=TENANT, resource=resource or registry_id())


def codes(part: Part) -> list[str]:
    return [finding.code for finding in part.findings]


WS: dict[str, Any] = {"workspaces": [workspace_id().text]}


def test_a_policy_that_says_nothing_of_sharing_plans_nothing() -> None:
    assert planned(a_policy(), None) == Part()


def test_the_account_of_a_workspace_gets_the_registrys_rule() -> None:
    part = planned(a_sharing_policy(WS), a_view(a_workspace()))

    assert part == Part(changes=(AddResourceRules(account=account_id(), rules=(OWN,)),))


def test_an_account_that_has_the_rule_gets_nothing() -> None:
    view = a_view(a_workspace(), accounts={account_id(): held(OWN)})

    assert planned(a_sharing_policy(WS), view) == Part()


def test_a_registry_that_no_entry_names_gets_nothing() -> None:
    policy = a_policy(sharing=[{"registries": ["beta*"], **WS}])

    assert planned(policy, a_view(a_workspace())) == Part()


def test_one_entry_that_asks_for_selected_networks_is_enough() -> None:
    policy = a_sharing_policy(WS, {"storage_accounts": [account_id().text], "public_access": "selected-networks"})

    (change,) = planned(policy, a_view(a_workspace())).changes

    assert change == AddResourceRules(account=account_id(), rules=(OWN,), select_networks=True)


def test_selected_networks_is_asked_for_even_where_the_rule_is_there() -> None:
    policy = a_sharing_policy({**WS, "public_access": "selected-networks"})
    view = a_view(a_workspace(), accounts={account_id(): held(OWN)})

    (change,) = planned(policy, view).changes

    assert change == AddResourceRules(account=account_id(), rules=(), select_networks=True)
    assert change.sentence == "set storage account stws to enabled from selected networks"


def test_own_accounts_get_the_listed_instances() -> None:
    policy = a_policy(targets={"storage": {"allow_resource_instances": [workspace_id().text]}})
    registry = a_registry(policy, storages=2)

    part = plan_sharing(replace(registry, sharing=SharingView(tenant=TENANT)), policy, Memory(now=NOW))

    guest = ResourceRule(tenant=TENANT, resource=workspace_id())
    accounts = [target.id for target in registry.targets if target.kind is TargetKind.STORAGE]
    assert part.changes == tuple(AddResourceRules(account=account, rules=(guest,)) for account in accounts)


@pytest.mark.parametrize(("count", "blocked"), [(199, False), (200, True)])
def test_the_two_hundred_and_first_rule_blocks(count: int, blocked: bool) -> None:  # noqa: FBT001 -- a row of a table
    others = tuple(ResourceRule(tenant=TENANT, resource=registry_id(f"other{number}")) for number in range(count))
    part = planned(a_sharing_policy(WS), a_view(a_workspace(), accounts={account_id(): held(*others)}))

    assert [reason.name for reason in part.blocks] == (["ResourceRuleLimit"] if blocked else [])
    assert len(part.changes) == (0 if blocked else 1)
    assert codes(part) == ([] if blocked else ["resource-rules-near-limit"])


def test_a_full_account_that_has_the_rule_blocks_nothing() -> None:
    others = tuple(ResourceRule(tenant=TENANT, resource=registry_id(f"other{number}")) for number in range(199))
    part = planned(a_sharing_policy(WS), a_view(a_workspace(), accounts={account_id(): held(OWN, *others)}))

    assert (part.changes, part.blocks) == ((), ())


def test_without_a_tenant_nothing_is_written_and_a_person_is_asked() -> None:
    part = planned(a_sharing_policy(WS), a_view(a_workspace(), tenant=""))

    assert part.changes == ()
    assert [reason.name for reason in part.blocks] == ["TenantUnknown"]
    assert "Microsoft.Resources/subscriptions/read" in part.blocks[0].sentence


@pytest.mark.parametrize(("passing", "waits", "found"), [(True, 1, []), (False, 0, ["sharing-unreadable"])])
def test_what_cannot_be_read_is_waited_for_or_told(passing: bool, waits: int, found: list[str]) -> None:  # noqa: FBT001 -- a row of a table
    gone = Unreadable(id=workspace_id(), problem="It does not answer.", passing=passing)

    part = planned(a_sharing_policy(WS), SharingView(tenant=TENANT, unreadable=(gone,)))

    assert (len(part.waits), codes(part)) == (waits, found)


@pytest.mark.parametrize(
    ("settings", "public_access", "expected"),
    [
        (
            {"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}},
            "keep",
            ["sharing-storage-open"],
        ),
        ({"networkAcls": {"defaultAction": "Allow"}}, "keep", ["sharing-storage-open"]),
        ({}, "keep", ["sharing-storage-open"]),
        ({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Allow"}}, "selected-networks", []),
        ({"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Allow"}}, "keep", []),
        ({"publicNetworkAccess": "Enabled", "networkAcls": {"defaultAction": "Deny"}}, "keep", []),
        ({"publicNetworkAccess": "SecuredByPerimeter"}, "selected-networks", ["sharing-storage-perimeter"]),
    ],
)
def test_an_account_that_is_open_or_behind_a_perimeter_is_told(
    settings: dict[str, Any], public_access: str, expected: list[str]
) -> None:
    policy = a_sharing_policy({**WS, "public_access": public_access})

    assert codes(planned(policy, a_view(a_workspace(), accounts={account_id(): settings}))) == expected


def test_what_the_app_added_and_nobody_asks_for_goes_and_the_rest_stays() -> None:
    memory = (added(account_id()), added(account_id("stgone")))

    part = planned(a_sharing_policy(WS), a_view(a_workspace(), accounts={account_id(): held(OWN)}), rules_added=memory)

    assert part.changes == (RemoveResourceRules(account=account_id("stgone"), rules=(OWN,)),)


def test_nothing_goes_while_something_cannot_be_read() -> None:
    gone = Unreadable(id=workspace_id(), problem="It does not exist.")

    part = planned(
        a_sharing_policy(WS), SharingView(tenant=TENANT, unreadable=(gone,)), rules_added=(added(account_id()),)
    )

    assert part.changes == ()


def test_rules_on_own_accounts_stay_while_these_are_exempt() -> None:
    policy = a_policy()
    registry = a_registry(policy)
    own = next(target.id for target in registry.targets if target.kind is TargetKind.STORAGE)
    memory = Memory(now=NOW, rules_added=(added(own, workspace_id()),))
    exempt = replace(registry, targets=tuple(t for t in registry.targets if t.kind is not TargetKind.STORAGE))

    assert plan_sharing(exempt, policy, memory).changes == ()
    assert _removed(registry, policy, memory) == [own]


def _removed(registry: Registry, policy: IsolationPolicy, memory: Memory) -> list[ResourceId]:
    return [change.resource for change in plan_sharing(registry, policy, memory).changes]


def test_sharing_works_where_nothing_is_closed() -> None:
    policy = a_sharing_policy(WS, targets=only("registry"))

    assert len(planned(policy, a_view(a_workspace())).changes) == 1


@pytest.mark.parametrize("given", [group_id("rg-ws").text, "*", "/subscriptions/*/resourcegroups/*"])
def test_only_ids_of_single_resources_may_be_let_in(given: str) -> None:
    with pytest.raises(InvalidPolicy, match="allow_resource_instances"):
        a_policy(targets={"storage": {"allow_resource_instances": [given]}})
