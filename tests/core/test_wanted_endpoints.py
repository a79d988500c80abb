import pytest

from shared.core.endpoints import groups_of, wanted_endpoints
from shared.core.planner import serving_networks
from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry, TargetKind
from tests.core.worlds import a_network, a_policy, a_registry, only, subnet_id, wanted

POLICY = a_policy()
NEW = a_registry(POLICY)


def asked(policy: IsolationPolicy, registry: Registry) -> list[tuple[str, str, str]]:
    found = wanted_endpoints(registry, policy, serving_networks(registry, policy))
    return [(wish.network.name, wish.target.id.name, wish.group) for wish in found]


def test_registry_storage_and_container_registry_each_get_an_endpoint() -> None:
    assert asked(POLICY, NEW) == [
        ("hub", "alpha", "amlregistry"),
        ("hub", "stwesteurope0", "blob"),
        ("hub", "acralpha", "registry"),
    ]


def test_the_container_registry_of_several_regions_gets_one_endpoint() -> None:
    registry = a_registry(POLICY, regions=("westeurope", "northeurope", "eastus"))

    assert [name for _, name, _ in asked(POLICY, registry)] == [
        "alpha",
        "stwesteurope0",
        "stnortheurope0",
        "steastus0",
        "acralpha",
    ]


def test_every_storage_account_of_a_region_gets_an_endpoint() -> None:
    registry = a_registry(POLICY, storages=3)

    assert [name for _, name, _ in asked(POLICY, registry)][1:4] == ["stwesteurope0", "stwesteurope1", "stwesteurope2"]


def test_every_network_gets_every_endpoint_under_names_of_its_own() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-spoke"))
    found = wanted(a_registry(policy), policy)

    assert [wish.network.name for wish in found] == ["hub"] * 3 + ["spoke"] * 3
    assert len({wish.id.name for wish in found}) == 6
    assert {wish.id.resource_group for wish in found} == {"rg-hub", "rg-spoke"}


def test_every_subresource_of_the_policy_gets_an_endpoint() -> None:
    policy = a_policy(targets={"storage": {"subresources": ["blob", "dfs"]}})

    assert [(name, group) for _, name, group in asked(policy, a_registry(policy))][1:3] == [
        ("stwesteurope0", "blob"),
        ("stwesteurope0", "dfs"),
    ]


@pytest.mark.parametrize("kind", TargetKind)
def test_what_the_policy_leaves_out_gets_no_endpoint(kind: TargetKind) -> None:
    targets = {target.kind: target for target in NEW.targets}
    others = [other for other in TargetKind if other is not kind]

    assert groups_of(targets[kind], a_policy(targets={kind.value: {"endpoint": False}})) == ()
    assert asked(a_policy(targets=only(*others)), NEW) == [
        entry for entry in asked(POLICY, NEW) if entry[1] != targets[kind].id.name
    ]


def test_endpoints_live_where_the_policy_says() -> None:
    elsewhere = a_network() | {"endpoints_resource_group": subnet_id("spoke").group.text}
    policy = a_policy(elsewhere)

    assert {wish.id.resource_group for wish in wanted(a_registry(policy), policy)} == {"rg-spoke"}
