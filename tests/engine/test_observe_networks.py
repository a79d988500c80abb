"""What one look reads in the networks of the policy: endpoints, what creating them needs, and their names."""

from dataclasses import replace

import pytest

from shared.core.arm import ResourceId
from shared.core.naming import endpoint_id
from shared.core.registry import (
    ENDPOINT_TYPE,
    Connection,
    ConnectionStatus,
    TargetKind,
)
from shared.engine.ports import ZoneQuery
from tests.core.worlds import (
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    group_id,
    only,
    private,
    subnet_id,
    want,
    wanted,
    with_endpoint,
    with_record,
    with_target,
    with_view,
    with_zone_group,
    zone_id,
)
from tests.engine.desk import ALPHA
from tests.engine.look import BLOB_ZONE, NEW, POLICY, PRIVATE, Look

pytestmark = pytest.mark.virtual_time


def known(look: Look) -> dict[ResourceId, set[ResourceId]]:
    listed = [about for about in look.plane.asked("list_endpoints") if isinstance(about, tuple)]
    return {group: set(ids) for group, ids in listed}


async def test_endpoints_are_listed_with_the_ids_of_all_that_can_matter() -> None:
    stranger = group_id("rg-hub").resource(ENDPOINT_TYPE, "somebodys")
    elsewhere = group_id("rg-far").resource(ENDPOINT_TYPE, "managed-vnet")
    said = tuple(Connection(endpoint=at, status=ConnectionStatus.APPROVED) for at in (stranger, elsewhere, None))
    look = Look(with_target(NEW, TargetKind.STORAGE, connections=said))

    await look.observe()

    ours = {
        endpoint_id(group_id("rg-hub"), ALPHA, w.target.kind, w.target.id, w.group, subnet_id())
        for w in wanted(NEW, POLICY)
    }
    assert known(look) == {group_id("rg-hub"): {*ours, stranger}}
    assert len(ours) == 3


async def test_a_group_that_holds_the_endpoints_of_two_networks_is_listed_once() -> None:
    home = {"endpoints_resource_group": group_id("rg-shared").text}
    policy = a_policy(a_network("hub") | home, a_network("spoke", zones="rg-dns-2") | home)
    look = Look(a_registry(policy), policy)

    await look.observe()

    ((group, ids),) = known(look).items()
    assert group == group_id("rg-shared")
    assert len(ids) == 6


async def test_only_endpoints_that_touch_the_registry_are_kept() -> None:
    stranger = want(a_registry(POLICY, name="beta"), POLICY, "registry")
    look = Look(with_endpoint(PRIVATE, stranger, an_endpoint(stranger)))

    found = await look.observe(ZONES)

    assert len(look.plane.truth.networks[0].endpoints) == 4
    assert {endpoint.id for endpoint in found.networks[0].endpoints} == {w.id for w in wanted(NEW, POLICY)}


async def test_a_name_is_taken_by_an_endpoint_that_leads_elsewhere_and_by_no_other_one() -> None:
    registry, storage, acr = wanted(NEW, POLICY)
    stranger = want(a_registry(POLICY, name="beta"), POLICY, "registry")
    theirs = replace(an_endpoint(stranger), id=registry.id)
    bare = replace(an_endpoint(storage), connections=())
    swapped = replace(an_endpoint(storage), id=acr.id)
    look = Look(with_view(NEW, endpoints=(theirs, bare, swapped)))

    found = await look.observe(ZONES)

    assert found.networks[0].taken == {registry.id, acr.id}


async def test_addresses_are_read_of_approved_endpoints_only_and_all_at_once() -> None:
    storage = want(NEW, POLICY, "storage")
    pending = with_endpoint(PRIVATE, storage, an_endpoint(storage, status=ConnectionStatus.PENDING))
    look = Look(pending)

    found = await look.observe(ZONES)

    (interfaces,) = look.plane.asked("read_addresses")
    assert isinstance(interfaces, tuple)
    assert len(interfaces) == 2
    read = {endpoint.id: endpoint.addresses is not None for endpoint in found.networks[0].endpoints}
    assert read == {w.id: w.id != storage.id for w in wanted(NEW, POLICY)}


async def test_what_creating_needs_is_read_only_while_an_endpoint_is_missing() -> None:
    look = Look(NEW)

    found = await look.observe()

    needed = {"read_subnet": 1, "pending_replications": 1, "required_zones": 3}
    assert {name: look.counts[name] for name in needed} == needed
    assert found.networks[0].subnet == NEW.networks[0].subnet
    assert dict(found.required_zones) == {group: ZONES[group] for group in ("amlregistry", "blob", "registry")}
    assert look.counts["read_addresses"] == 0


async def test_zone_names_that_are_known_are_not_asked_again() -> None:
    look = Look(NEW)

    found = await look.observe({"blob": ("privatelink.blob.known.net",)})

    assert look.counts["required_zones"] == 0
    assert dict(found.required_zones) == {"blob": ("privatelink.blob.known.net",)}
    queries = _queries(look)
    assert "privatelink.blob.known.net" in {query.zone.name for query in queries}


async def test_replications_matter_only_to_a_missing_endpoint_of_the_container_registry() -> None:
    storage = want(NEW, POLICY, "storage")
    lacking = with_view(PRIVATE, endpoints=tuple(e for e in PRIVATE.networks[0].endpoints if e.id != storage.id))
    look = Look(lacking)

    await look.observe(ZONES)

    assert look.counts["read_subnet"] == 1
    assert look.counts["pending_replications"] == 0


async def test_regions_that_the_container_registry_still_replicates_to_are_told() -> None:
    look = Look(with_target(NEW, TargetKind.ACR, replicas_pending=("eastus",)))

    found = await look.observe(ZONES)

    assert found.targets[-1].replicas_pending == ("eastus",)


async def test_a_subnet_that_is_not_there_is_a_problem_of_its_network_and_no_error() -> None:
    look = Look(with_view(NEW, subnet=None))

    found = await look.observe()

    assert found.networks[0].subnet is None
    assert found.networks[0].subnet_problem == "does not exist, or its virtual network does not"


async def test_a_network_that_lacks_nothing_is_not_asked_for_its_subnet() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-2"))
    both = private(a_registry(policy), policy)
    look = Look(with_view(both, "spoke", endpoints=()), policy)

    await look.observe(ZONES)

    assert look.plane.asked("read_subnet") == [subnet_id("spoke")]


async def test_without_any_network_no_endpoint_and_no_zone_is_read() -> None:
    policy = a_policy(a_network(serves={"regions": ["eastus"]}))
    look = Look(a_registry(policy), policy)

    found = await look.observe()

    assert found.networks == ()
    assert set(look.counts) == {"read_registry", "list_group", "read_storage_account", "read_container_registry"}


# --- names ------------------------------------------------------------------------------------------------------------


def _queries(look: Look) -> tuple[ZoneQuery, ...]:
    (queries,) = look.plane.asked("read_zones")
    assert isinstance(queries, tuple)
    return queries


async def test_zones_are_asked_for_exactly_the_records_that_the_endpoints_need() -> None:
    look = Look(PRIVATE)

    found = await look.observe(ZONES)

    assert {query.zone.name: query.records for query in _queries(look)} == {
        "privatelink.api.azureml.ms": ("alpha.westeurope",),
        "privatelink.azurecr.io": ("acralpha", "acralpha.westeurope.data"),
        "privatelink.blob.core.windows.net": ("stwesteurope0",),
    }
    assert all(query.links for query in _queries(look))
    assert set(found.networks[0].zones) == {query.zone.name for query in _queries(look)}


async def test_links_are_read_only_where_the_app_keeps_them() -> None:
    policy = a_policy(a_network(link_vnet=False))
    look = Look(private(a_registry(policy), policy), policy)

    await look.observe(ZONES)

    assert [query.links for query in _queries(look)] == [False] * 3


async def test_before_there_are_addresses_zones_are_asked_without_records() -> None:
    look = Look(NEW)

    found = await look.observe()

    assert {query.records for query in _queries(look)} == {()}
    assert [zone.exists for zone in found.networks[0].zones.values()] == [False] * 3
    assert look.counts["read_zone_group"] == 0


@pytest.mark.parametrize("addresses", [(), ("10.9.9.9",), ("10.0.0.1", "10.9.9.9")])
async def test_a_zone_group_is_read_only_where_a_record_is_not_right(addresses: tuple[str, ...]) -> None:
    storage = want(NEW, POLICY, "storage")
    doubtful = with_record(PRIVATE, "hub", BLOB_ZONE, "stwesteurope0", *addresses)
    group = a_zone_group(storage)
    look = Look(with_zone_group(doubtful, storage, group))

    found = await look.observe(ZONES)

    assert look.plane.asked("read_zone_group") == [storage.id]
    assert dict(found.networks[0].zone_groups) == {storage.id.key: group}


async def test_an_endpoint_without_a_zone_group_is_told_from_one_that_was_not_asked() -> None:
    storage = want(NEW, POLICY, "storage")
    look = Look(with_record(PRIVATE, "hub", BLOB_ZONE, "stwesteurope0"))

    found = await look.observe(ZONES)

    assert dict(found.networks[0].zone_groups) == {storage.id.key: None}


async def test_an_endpoint_that_does_not_say_its_names_yet_is_doubtful() -> None:
    storage = want(NEW, POLICY, "storage")
    look = Look(with_endpoint(PRIVATE, storage, an_endpoint(storage, addresses=())))

    await look.observe(ZONES)

    assert look.plane.asked("read_zone_group") == [storage.id]


async def test_where_zones_live_elsewhere_only_the_zone_groups_tell_of_records() -> None:
    policy = a_policy(a_network(zones=""))
    registry = a_registry(policy)
    for wish in wanted(registry, policy):
        registry = with_endpoint(registry, wish, an_endpoint(wish))
    look = Look(registry, policy)

    found = await look.observe(ZONES)

    assert look.counts["read_zones"] == 0
    assert set(look.plane.asked("read_zone_group")) == {wish.id for wish in wanted(registry, policy)}
    assert found.networks[0].zones == {}


async def test_two_networks_ask_each_for_its_own_zones() -> None:
    policy = a_policy(a_network("hub"), a_network("spoke", zones="rg-dns-2"), targets=only("storage"))
    look = Look(private(a_registry(policy), policy), policy)

    await look.observe(ZONES)

    asked = {
        query.zone for queries in look.plane.asked("read_zones") if isinstance(queries, tuple) for query in queries
    }
    assert asked == {zone_id(BLOB_ZONE), zone_id(BLOB_ZONE, "rg-dns-2")}


async def test_endpoints_of_the_ledger_are_missed_only_in_groups_that_were_read() -> None:
    look = Look(PRIVATE)
    there = PRIVATE.networks[0].endpoints[0].id
    gone, elsewhere = (
        ResourceId.parse(f"{group}/providers/{ENDPOINT_TYPE}/pe-gone") for group in (there.group, group_id("x"))
    )

    found = await look.observe(ZONES, made=(there, gone, elsewhere))

    assert found.absent == (gone,)
