"""
Roles at the places that the documentation names, in an estate of three subscriptions, for one feature at a time.

Whoever uses a part of the policy assigns what that part needs, where it needs it, and nothing more: then Azure refuses
nothing. What `core.rights` tells the doctor to look for is what is granted here.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.options import Options
from local.simulator.rbac import Assignment
from shared.core.policy import IsolationPolicy
from shared.core.rights import Need, Role, needs, storage_need
from tests.core.test_rights import ROLES
from tests.scenarios.house import APP, House
from tests.scenarios.rights import Told, run
from tests.scenarios.test_egress import egress
from tests.scenarios.ways_out import add_group, add_policy
from tests.virtual_time import run_virtual

HUB = "22222222-2222-4222-8222-222222222222"
DATA = "33333333-3333-4333-8333-333333333333"
ZONES = ("privatelink.api.azureml.ms", "privatelink.blob.core.windows.net", "privatelink.azurecr.io")


class Estate(House):
    """Registries in one subscription, network and zones in another one, workspaces in a third."""

    def __init__(self) -> None:
        super().__init__(options=Options(public_access_propagates=False))
        self.azure.subscriptions |= {HUB: HUB, DATA: DATA}
        hub = scenery.standard_world(self.azure, subscription=HUB)
        self.scene = replace(hub, registries_group=self.scene.registries_group)
        self.document = self.default_policy()
        self.document["deletion"] = {"endpoints": False}
        self.data_group = f"/subscriptions/{DATA}/resourceGroups/rg-data"
        scenery.send(self.azure, "PUT", self.data_group, {"location": "westeurope"}, api_version=scenery.GROUP_API)

    @property
    def network(self) -> dict[str, Any]:
        found: dict[str, Any] = self.document["networks"][0]
        return found

    def places(self) -> list[Need]:
        policy = IsolationPolicy.from_document(self.document)
        accounts = [each.id for each in self.azure.world.of_type("Microsoft.Storage/storageAccounts")]
        shared = [storage_need(policy, each) for each in accounts if "sharing" in self.document and DATA in each]
        return [*needs(policy), *shared]


def assign(house: Estate, roles: bool, without: tuple[Role, str] | None = None) -> None:  # noqa: FBT001
    """Give the app, at each place, the role that is named for it, or only the rights that are needed there."""
    app = house.azure.rbac.principal(APP)
    app.assignments.clear()
    for need in house.places():
        actions = tuple(ROLES[need.role]["Actions"]) if roles else need.actions
        left = tuple(each for each in actions if without != (need.role, each))
        app.assignments.append(Assignment(scope=need.scope, actions=left))


def nothing_more(_house: Estate) -> None:
    """Endpoints, names and closed doors, from a policy that removes nothing."""


def names_of_others(house: Estate) -> None:
    """Zones that somebody else has made and linked."""
    for zone in ZONES:
        path = f"{house.scene.dns_group}/providers/Microsoft.Network/privateDnsZones/{zone}"
        scenery.send(house.azure, "PUT", path, {"location": "global"}, api_version="2024-06-01")
    scenery.rest(house.azure)
    house.network["dns"] |= {"create_zones": False, "link_vnet": False}


def one_kind_of_target(house: Estate) -> None:
    kept = {"endpoint": False, "public_access": "keep"}
    house.document["targets"] = {"storage": kept, "acr": kept}


def removing(house: Estate) -> None:
    house.document["deletion"] = {"endpoints": True}


def sharing(house: Estate) -> None:
    account = scenery.create_storage_account(
        house.azure, "stshared", group=house.data_group, publicNetworkAccess="Disabled"
    )
    workspace = scenery.create_workspace(house.azure, "ws", account.id, group=house.data_group)
    house.document["sharing"] = [{"registries": ["*"], "workspaces": [workspace.id]}]


def ways_out(house: Estate) -> None:
    egress(house, add_group(house), service_endpoint_policy=add_policy(house))


def everything(house: Estate) -> None:
    removing(house)
    sharing(house)
    ways_out(house)


def audited(house: Estate) -> None:
    everything(house)
    house.document["mode"] = "audit"


FEATURES = (
    nothing_more,
    names_of_others,
    one_kind_of_target,
    removing,
    sharing,
    ways_out,
    everything,
    audited,
)
type Feature = Callable[[Estate], None]


def told(feature: Feature, *, roles: bool, without: tuple[Role, str] | None = None) -> Told:
    house = Estate()
    feature(house)
    heard: list[Told] = []

    async def story() -> None:
        heard.append(await run(house, (), grant_all=lambda: assign(house, roles, without)))

    run_virtual(story())
    return heard[0]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.__name__)
def test_a_feature_works_with_exactly_what_it_needs_where_it_needs_it(feature: Feature) -> None:
    ended = told(feature, roles=False)

    assert ended.refused == ()
    assert ended.outcome == ("audited" if feature is audited else "converged")


def test_everything_works_with_each_role_at_the_places_that_are_named_for_it() -> None:
    ended = told(everything, roles=True)

    assert ended.refused == ()
    assert ended.outcome == "converged"


@pytest.mark.parametrize(("right", "outcome"), [("read", "converged"), ("write", "blocked")])
def test_a_right_that_the_basic_role_has_too_is_missed_where_only_workspaces_are(right: str, outcome: str) -> None:
    action = f"Microsoft.Storage/storageAccounts/{right}"

    ended = told(sharing, roles=True, without=(Role.SHARING, action))

    assert ended.outcome == outcome
    assert f"{action.lower()} on /subscriptions/{DATA}" in ended.said
