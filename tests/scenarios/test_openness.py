"""
Whatever the policy and the world: no write of the app opens anything, and none loses what somebody else wrote.

Every write to a registry, a storage account or a container registry is compared with what it found. Somebody else keeps
changing the shared account, at any point but the one round trip between the app's last read and its write.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from local.simulator.azure import SimulatedAzure
from local.simulator.options import Options
from local.simulator.wire import Request, Response
from tests.scenarios.house import APP, House
from tests.scenarios.sharing import BUSY_ACLS, Neighbourhood, acls_of, add_address, change_acls
from tests.scenarios.test_deletion import MINUTE, delete, pass_time
from tests.scenarios.test_isolation import create, tell

WATCHED = ("Microsoft.Storage/storageAccounts", "Microsoft.ContainerRegistry/registries")
LISTS = ("ipRules", "ipv6Rules", "virtualNetworkRules")


def entries(settings_: Mapping[str, Any], *names: str) -> set[str]:
    acls = settings_.get("networkAcls") or settings_.get("networkRuleSet") or {}
    return {json.dumps(entry, sort_keys=True).lower() for name in names for entry in acls.get(name) or ()}


def who_may_enter(settings_: Mapping[str, Any]) -> set[str]:
    """Whom the public endpoint lets in; resource rules also work while public access is disabled (documented)."""
    acls = settings_.get("networkAcls") or settings_.get("networkRuleSet") or {}
    resources = entries(settings_, "resourceAccessRules")
    match str(settings_.get("publicNetworkAccess") or "Enabled").lower():
        case "enabled" if str(acls.get("defaultAction", "Allow")).lower() == "allow":
            return {"everybody"}
        case "enabled":
            return entries(settings_, *LISTS) | resources
        case _:
            return resources


class CriticalAzure(SimulatedAzure):
    """Compares what a write of the app found with what it left, and lets somebody write between the app's requests."""

    def __init__(self, **members: Any) -> None:
        super().__init__(**members)
        self.opened: list[str] = []
        self.lost: list[str] = []
        self.visits: set[int] = set()
        self.visited: list[str] = []
        self.reads = 0
        self.shared = ""
        self.invited: set[str] = set()
        self.selected = False

    def handle(self, request: Request, now: datetime) -> Response:
        if self.rbac.caller(request.header("Authorization") or "", now).id != APP:
            return super().handle(request, now)
        if request.method == "GET" and request.path == self.shared:
            self._visit()
        found = self.world.get(request.path)
        before = deepcopy(dict(found.properties)) if found is not None else {}
        answer = super().handle(request, now)
        if request.method in {"PUT", "PATCH"} and found is not None and found.type in WATCHED:
            self._compare(request.path, before, found.properties)
        if request.method in {"PUT", "PATCH"} and request.path != self.shared and "publicNetworkAccess" in before:
            asked = (json.loads(request.body).get("properties") or {}).get("publicNetworkAccess")
            if asked == "Enabled" and before["publicNetworkAccess"] != "Enabled":
                self.opened.append(f"{request.path} enabled")
        return answer

    def _visit(self) -> None:
        self.reads += 1
        if self.reads in self.visits:
            self.visited.append(f"198.51.100.{self.reads}")
            change_acls(self, self.shared, add_address(self.visited[-1]))

    def _compare(self, path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        named = entries(before, *LISTS) if self.selected and path == self.shared else set()
        news = who_may_enter(after) - who_may_enter(before) - named
        if "everybody" not in who_may_enter(before):
            self.opened += [f"{path}: {who}" for who in news if not any(each in who for each in self.invited)]
        gone = entries(before, *LISTS, "resourceAccessRules") - entries(after, *LISTS, "resourceAccessRules")
        self.lost += [f"{path}: {who}" for who in gone if not any(each in who for each in self.invited)]


POLICIES = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(["enforce", "enforce", "audit"]),
        "lockdown": st.fixed_dictionaries(
            {"when": st.sampled_from(["verified", "immediately", "never"]), "propagation_minutes": st.integers(0, 3)}
        ),
        "targets": st.fixed_dictionaries(
            {
                "registry": st.fixed_dictionaries({"public_access": st.sampled_from(["disabled", "keep"])}),
                "acr": st.fixed_dictionaries({"public_access": st.sampled_from(["disabled", "keep"])}),
            }
        ),
    }
)


@settings(
    max_examples=11,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(
    document=POLICIES,
    access=st.sampled_from([None, "Enabled", "Disabled", "SecuredByPerimeter"]),
    action=st.sampled_from(["Allow", "Deny"]),
    wish=st.sampled_from(["keep", "selected-networks"]),
    guest=st.booleans(),
    visits=st.sets(st.integers(1, 12), max_size=5),
    propagates=st.booleans(),
    goes=st.booleans(),
)
@example(
    document={"mode": "enforce", "lockdown": {}, "targets": {}},
    access="Disabled",
    action="Allow",
    wish="selected-networks",
    guest=True,
    visits={2, 3, 5},
    propagates=False,
    goes=True,
)
def test_no_write_opens_anything_or_loses_a_rule_of_others(
    document: dict[str, Any],
    access: str | None,
    action: str,
    wish: str,
    guest: bool,  # noqa: FBT001 -- drawn by hypothesis
    visits: set[int],
    propagates: bool,  # noqa: FBT001
    goes: bool,  # noqa: FBT001
) -> None:
    async def story() -> None:
        house = House(azure_type=CriticalAzure, options=Options(public_access_propagates=propagates))
        azure: Any = house.azure
        near = Neighbourhood(house)
        account = near.account(acls={**BUSY_ACLS, "defaultAction": action}, publicNetworkAccess=access)
        workspace = near.workspace(account)
        near.share(workspace, public_access=wish)
        house.document |= deepcopy(document)
        azure.invited = {"/registries/contoso"}
        if guest:
            house.document["targets"]["storage"] = {"allow_resource_instances": [workspace.id]}
            azure.invited.add(workspace.id.lower())
        azure.shared, azure.visits, azure.selected = account.id, visits, wish == "selected-networks"
        async with house:
            registry = await create(house)
            await house.settle(registry)
            if goes:
                delete(house, registry)
                await pass_time(house, 5 * MINUTE)
                await house.settle(registry)

            assert azure.opened == []
            assert azure.lost == []
            addresses = {rule["value"] for rule in acls_of(house.azure, account)["ipRules"]}
            assert {"203.0.113.7", *azure.visited} <= addresses
            if document["mode"] == "audit":
                assert [call for call in house.writes() if call.principal == APP] == []

    tell(story())
