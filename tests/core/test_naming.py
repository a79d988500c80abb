import re

from hypothesis import given
from hypothesis import strategies as st

from shared.core.naming import (
    MANAGED_BY,
    MANAGED_BY_TAG,
    REGISTRY_TAG,
    endpoint_id,
    endpoint_name,
    endpoint_tags,
    link_name,
    short_hash,
    zone_config_name,
)
from shared.core.registry import ENDPOINT_TYPE, TargetKind
from tests.core.worlds import MANAGED, group_id, registry_id, subnet_id

ACCOUNT = MANAGED.resource("Microsoft.Storage/storageAccounts", "st0")

registry_names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,31}", fullmatch=True).filter(str.isascii)
words = st.from_regex(r"[A-Za-z0-9]{1,30}", fullmatch=True).filter(str.isascii)


def name(registry: str = "alpha", account: str = "st0", group: str = "blob", network: str = "hub") -> str:
    target = MANAGED.resource("Microsoft.Storage/storageAccounts", account)
    return endpoint_name(registry_id(registry), TargetKind.STORAGE, target, group, subnet_id(network))


def test_an_endpoint_is_named_for_its_registry_and_kind() -> None:
    assert re.fullmatch(r"pe-alpha-storage-[0-9a-f]{8}", name())


@given(registry=registry_names | st.from_regex(r"[a-z]{60,200}", fullmatch=True).filter(str.isascii), account=words)
def test_an_endpoint_name_is_always_one_that_azure_takes(registry: str, account: str) -> None:
    # 1 to 80 characters of letters, digits, `_.-`, ending in a letter, digit or `_` (Azure naming rules).
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_]", name(registry, account))


def test_a_long_registry_name_loses_its_end_and_never_the_hash() -> None:
    found = name("x" * 200)

    assert len(found) == 80
    assert found.endswith(name().removeprefix("pe-alpha"))


def test_what_distinguishes_two_endpoints_distinguishes_their_names() -> None:
    assert len({name(), name(account="st1"), name(group="dfs"), name(network="spoke"), name(registry="beta")}) == 5


def test_the_casing_of_azures_answer_does_not_change_a_name() -> None:
    assert name(account="ST0", network="HUB", group="BLOB") == name()


def test_the_hash_keeps_its_parts_apart() -> None:
    assert short_hash("a", "b") != short_hash("ab")
    assert short_hash("A") == short_hash("a")
    assert re.fullmatch("[0-9a-f]{8}", short_hash())


def test_an_endpoint_lives_in_the_group_that_the_policy_names() -> None:
    found = endpoint_id(group_id("rg-endpoints"), registry_id(), TargetKind.STORAGE, ACCOUNT, "blob", subnet_id("hub"))

    assert found.is_type(ENDPOINT_TYPE)
    assert (found.group, found.name) == (group_id("rg-endpoints"), name())


def test_tags_say_who_made_an_endpoint_and_for_which_registry() -> None:
    assert endpoint_tags(registry_id()) == {MANAGED_BY_TAG: MANAGED_BY, REGISTRY_TAG: registry_id().text}


def test_a_tag_value_is_never_longer_than_azure_allows() -> None:
    assert len(endpoint_tags(registry_id("x" * 250))[REGISTRY_TAG]) == 256


@given(network=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_]", fullmatch=True).filter(str.isascii))
def test_a_link_name_is_always_one_that_azure_takes(network: str) -> None:
    vnet = group_id("rg").resource("Microsoft.Network/virtualNetworks", network)

    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,78}", link_name(vnet))


def test_networks_of_one_name_in_two_groups_are_linked_under_two_names() -> None:
    first, second = (group_id(g).resource("Microsoft.Network/virtualNetworks", "vnet") for g in ("rg-a", "rg-b"))

    assert link_name(first) != link_name(second)
    assert link_name(first).startswith("vnet-")


def test_a_zone_is_called_by_its_name_without_dots_inside_a_zone_group() -> None:
    assert zone_config_name("privatelink.Blob.core.windows.net") == "privatelink-blob-core-windows-net"
