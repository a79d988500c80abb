"""What a registry's part can be, told from ids; and what leads back to a registry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.owners import Kinship, Neighbourhood, belongings
from shared.core.registry import ACR_TYPE, ENDPOINT_TYPE, RECORD_TYPE, STORAGE_TYPE
from tests.core.worlds import GUID, MANAGED, SUB, a_network, a_policy, a_registry, group_id, private, zone_id

POLICY = a_policy(a_network(), a_network("spoke", zones=""))
HOME = Neighbourhood.of(POLICY)
HUB, SPOKE = group_id("rg-hub"), group_id("RG-Spoke")
BLOB_ZONE = zone_id("privatelink.blob.core.windows.net")


@pytest.mark.parametrize("kind", [STORAGE_TYPE, ACR_TYPE, STORAGE_TYPE.upper()])
def test_storage_and_container_registries_of_managed_groups_may_belong_to_one(kind: str) -> None:
    assert HOME.kinship(MANAGED.resource(kind, "a1")) is Kinship.MANAGED
    assert HOME.kinship(group_id(f"AZUREML-RG-foo_bar_{GUID.upper()}").resource(kind, "a1")) is Kinship.MANAGED


@pytest.mark.parametrize(
    "group",
    ["rg-ml", f"azureml-rg-{GUID}", f"azureml-rg-alpha-{GUID}", f"x-azureml-rg-alpha_{GUID}", "azureml-rg-alpha_1"],
)
def test_storage_elsewhere_may_not(group: str) -> None:
    assert HOME.kinship(group_id(group).resource(STORAGE_TYPE, "a1")) is None


def test_storage_of_a_registry_whose_name_is_out_of_scope_is_nobodys_here() -> None:
    home = Neighbourhood.of(a_policy(scope={"subscriptions": [SUB], "registries": {"exclude": ["al*"]}}))

    assert home.kinship(MANAGED.resource(STORAGE_TYPE, "a1")) is None
    assert home.kinship(group_id(f"azureml-rg-beta_{GUID}").resource(STORAGE_TYPE, "a1")) is Kinship.MANAGED


def test_endpoints_count_where_the_policy_keeps_them() -> None:
    assert HOME.kinship(HUB.resource(ENDPOINT_TYPE, "pe")) is Kinship.ENDPOINT
    assert HOME.kinship(SPOKE.resource(ENDPOINT_TYPE, "pe")) is Kinship.ENDPOINT
    assert HOME.kinship(group_id("rg-dns").resource(ENDPOINT_TYPE, "pe")) is None


def test_records_count_in_private_link_zones_where_the_policy_keeps_them() -> None:
    assert HOME.kinship(BLOB_ZONE.child("A", "st1")) is Kinship.RECORD
    assert HOME.kinship(zone_id("contoso.internal").child("A", "st1")) is None
    assert HOME.kinship(zone_id("privatelink.blob.core.windows.net", "rg-hub").child("A", "st1")) is None
    assert HOME.kinship(BLOB_ZONE.child("CNAME", "st1")) is None


@given(st.from_regex(r"Microsoft\.[A-Z][a-z]{2,9}/[a-z]{3,12}(/[a-z]{3,9})?", fullmatch=True))
def test_whatever_else_is_in_those_groups_is_nobodys(kind: str) -> None:
    namespace, *types = kind.split("/")
    names = "/".join(f"{each}/one" for each in types)
    for group in (MANAGED, HUB, group_id("rg-dns")):
        resource = ResourceId.parse(f"{group.text}/providers/{namespace}/{names}")
        known = {STORAGE_TYPE.lower(), ACR_TYPE.lower(), ENDPOINT_TYPE.lower(), RECORD_TYPE.lower()}
        assert resource.type.lower() in known or HOME.kinship(resource) is None


def test_the_group_the_endpoints_and_their_records_lead_back() -> None:
    policy = a_policy()
    registry = private(a_registry(policy), policy)
    made = HUB.resource(ENDPOINT_TYPE, "pe-not-there-yet")

    found = belongings(registry, [made])

    assert list(found) == sorted(found)
    assert {MANAGED, made, *(endpoint.id for endpoint in registry.networks[0].endpoints)} <= set(found)
    assert BLOB_ZONE.child("A", "stwesteurope0") in found
    assert all(HOME.kinship(resource) or resource == MANAGED for resource in found)
    assert {resource.subscription for resource in found} == {SUB}


def test_a_registry_without_endpoints_has_its_group() -> None:
    assert belongings(a_registry(a_policy()), ()) == (MANAGED,)
