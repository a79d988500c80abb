import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.clouds import CLOUDS
from shared.core.dns import (
    ExpectedRecord,
    expected_records,
    is_zone_name,
    linked,
    missing_in_report,
    missing_in_zones,
    record_name,
)
from shared.core.registry import Address, PrivateEndpoint, Zone, ZoneLink
from tests.core.worlds import a_policy, a_registry, an_endpoint, subnet_id, want, zone_id

ACR_ZONE = "privatelink.azurecr.io"
BLOB_ZONE = "privatelink.blob.core.windows.net"
VNET = subnet_id("hub").parent

labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True).filter(str.isascii)


def endpoint(*addresses: Address) -> PrivateEndpoint:
    policy = a_policy()
    return an_endpoint(want(a_registry(policy), policy, "acr"), addresses=addresses)


def record(name: str, *addresses: str, zone: str = ACR_ZONE) -> ExpectedRecord:
    suffix = zone.removeprefix("privatelink.")
    return ExpectedRecord(zone=zone, name=name, fqdn=f"{name}.{suffix}", addresses=frozenset(addresses))


def zone(name: str = ACR_ZONE, *, exists: bool = True, **records: tuple[str, ...]) -> dict[str, Zone]:
    return {name: Zone(id=zone_id(name), exists=exists, records=records)}


@pytest.mark.parametrize("cloud", CLOUDS.values(), ids=lambda cloud: cloud.name)
def test_every_zone_of_the_table_is_a_zone_name(cloud: object) -> None:
    names = [name for known in CLOUDS.values() if known is cloud for zones in known.zones.values() for name in zones]

    assert names
    assert all(is_zone_name(name) and is_zone_name(name.upper()) for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "privatelink",
        "privatelink.net",
        "azurecr.io",
        "privatelink.azurecr.io/../x",
        "privatelink.azurecr.io?x=1",
        "privatelink..io",
        "privatelink.-a.io",
        "privatelink.a-.io",
        "privatelink.azurecr.io.",
        "privatelink.azurecr.io\n",
        "xprivatelink.azurecr.io",
        "privatelink." + ".".join("abcdefghi"),
        f"privatelink.{'a' * 64}.io",
    ],
)
def test_what_could_mean_something_else_in_a_url_is_no_zone_name(name: str) -> None:
    assert not is_zone_name(name)


@pytest.mark.parametrize(
    ("fqdn", "name"),
    [
        ("acralpha.azurecr.io", "acralpha"),
        ("ACRalpha.AzureCR.io.", "acralpha"),
        ("acralpha.westeurope.data.azurecr.io", "acralpha.westeurope.data"),
        ("acralpha.privatelink.azurecr.io", "acralpha"),
        ("azurecr.io", None),
        (".azurecr.io", None),
        ("acralphaazurecr.io", None),
        ("acralpha.azurecr.io.example.com", None),
        ("stalpha.blob.core.windows.net", None),
    ],
)
def test_the_record_is_what_stands_before_the_zones_suffix(fqdn: str, name: str | None) -> None:
    assert record_name(fqdn, "privatelink.AzureCR.io") == name


@given(name=labels, region=labels)
def test_the_public_and_the_private_name_have_one_record(name: str, region: str) -> None:
    public = record_name(f"{name}.{region}.data.azurecr.io", ACR_ZONE)

    assert public == f"{name}.{region}.data"
    assert record_name(f"{public}.{ACR_ZONE}", ACR_ZONE) == public


def test_every_name_of_an_endpoint_needs_a_record_with_its_address() -> None:
    found = endpoint(
        Address(ip="10.0.0.5", fqdns=("acralpha.westeurope.data.azurecr.io",)),
        Address(ip="10.0.0.4", fqdns=("ACRalpha.azurecr.io.",)),
    )

    assert expected_records(found, [ACR_ZONE]) == (
        (record("acralpha", "10.0.0.4"), record("acralpha.westeurope.data", "10.0.0.5")),
        (),
    )


def test_a_name_with_two_addresses_needs_both_in_one_record() -> None:
    found = endpoint(
        Address(ip="10.0.0.4", fqdns=("acralpha.azurecr.io",)), Address(ip="10.0.0.5", fqdns=("ACRALPHA.azurecr.io",))
    )

    assert expected_records(found, [ACR_ZONE]) == ((record("acralpha", "10.0.0.4", "10.0.0.5"),), ())


def test_a_name_is_at_home_in_the_first_zone_that_serves_it() -> None:
    found = endpoint(Address(ip="10.0.0.4", fqdns=("a.blob.core.windows.net", "a.azurecr.io")))

    records, homeless = expected_records(found, [ACR_ZONE, BLOB_ZONE])

    assert [(record.zone, record.name) for record in records] == [(ACR_ZONE, "a"), (BLOB_ZONE, "a")]
    assert homeless == ()


def test_names_that_no_zone_serves_are_told_apart() -> None:
    found = endpoint(Address(ip="10.0.0.4", fqdns=("z.example.com", "b.azurecr.io", "a.example.com")))

    assert expected_records(found, [ACR_ZONE]) == ((record("b", "10.0.0.4"),), ("a.example.com", "z.example.com"))


@pytest.mark.parametrize("addresses", [None, (), (Address(ip="10.0.0.4", fqdns=()),)])
def test_an_endpoint_that_does_not_say_its_names_needs_no_record_yet(addresses: tuple[Address, ...] | None) -> None:
    policy = a_policy()
    found = an_endpoint(want(a_registry(policy), policy, "acr"), addresses=addresses)

    assert expected_records(found, [ACR_ZONE]) == ((), ())


def test_a_record_is_right_only_with_exactly_the_addresses() -> None:
    right = record("a", "10.0.0.4", "10.0.0.5")

    assert missing_in_zones([right], zone(a=("10.0.0.5", "10.0.0.4"))) == ()
    for held in [(), ("10.0.0.4",), ("10.0.0.4", "10.0.0.5", "10.0.0.6"), ("10.0.0.6",)]:
        assert missing_in_zones([right], zone(a=held)) == (right,)


def test_a_record_in_a_zone_that_nobody_read_is_missing() -> None:
    wanted = record("a", "10.0.0.4")

    assert missing_in_zones([wanted], {}) == (wanted,)
    assert missing_in_zones([wanted], zone(exists=False)) == (wanted,)
    assert missing_in_zones([wanted], zone(BLOB_ZONE, a=("10.0.0.4",))) == (wanted,)


def test_a_zone_group_may_report_the_public_or_the_private_name() -> None:
    wanted = record("a", "10.0.0.4")

    assert missing_in_report([wanted], {"A.azurecr.io.": ("10.0.0.4",)}) == ()
    assert missing_in_report([wanted], {"a.privatelink.azurecr.io": ("10.0.0.4",)}) == ()


@pytest.mark.parametrize(
    "reported", [{}, {"a.azurecr.io": ("10.0.0.4", "10.0.0.5")}, {"a.azurecr.io": ()}, {"b.azurecr.io": ("10.0.0.4",)}]
)
def test_a_zone_group_that_reports_something_else_proves_nothing(reported: dict[str, tuple[str, ...]]) -> None:
    wanted = record("a", "10.0.0.4")

    assert missing_in_report([wanted], reported) == (wanted,)


@pytest.mark.parametrize(
    ("states", "holds"),
    [
        (None, None),
        ([], None),
        (["Completed"], True),
        (["Succeeded"], True),
        (["InProgress"], False),
        (["Updating"], False),
        (["Creating", "completed"], True),
    ],
)
def test_a_zone_is_linked_when_a_link_to_the_network_is_complete(
    states: list[str] | None, *, holds: bool | None
) -> None:
    link = zone_id(ACR_ZONE).child("virtualNetworkLinks", "somebodys")
    links = None if states is None else tuple(ZoneLink(id=link, network=VNET, state=state) for state in states)

    assert linked(Zone(id=zone_id(ACR_ZONE), exists=True, links=links), VNET) is holds


def test_a_link_to_another_network_does_not_count() -> None:
    link = ZoneLink(id=zone_id(ACR_ZONE).child("virtualNetworkLinks", "x"), network=VNET, state="Completed")

    assert linked(Zone(id=zone_id(ACR_ZONE), exists=True, links=(link,)), subnet_id("spoke").parent) is None
