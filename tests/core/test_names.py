from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.arm import ResourceId
from shared.core.changes import CreateEndpoint, CreateZone, DeleteZoneGroup, LinkZone, PutZoneGroup, key_of
from shared.core.endpoints import Standing
from shared.core.names import NamesPlan, plan_names
from shared.core.policy import IsolationPolicy
from shared.core.registry import Address, PrivateEndpoint, Registry, ZoneGroup
from tests.core.worlds import (
    ZONES,
    a_network,
    a_policy,
    a_registry,
    a_zone_group,
    an_endpoint,
    names_of,
    only,
    subnet_id,
    want,
    with_endpoint,
    with_record,
    with_records,
    with_zone_group,
    with_zones,
    zone_id,
)

BLOB_ZONE = "privatelink.blob.core.windows.net"
POLICY = a_policy(targets=only("storage"))
ELSEWHERE = a_policy(a_network(zones=""), targets=only("storage"))
STORAGE = want(a_registry(POLICY), POLICY, "storage")
USED = Standing(wanted=STORAGE, endpoint=an_endpoint(STORAGE))
LINKED = with_zones(with_endpoint(a_registry(POLICY), STORAGE, an_endpoint(STORAGE)), POLICY)
KEY = f"names:{STORAGE.id.key}"
CREATE = CreateEndpoint(
    endpoint=STORAGE.id, location="westeurope", subnet=subnet_id(), target=STORAGE.target.id, group="blob", tags={}
)


def names(
    registry: Registry, standing: Standing = USED, policy: IsolationPolicy = POLICY, *, seen: int = 0
) -> NamesPlan:
    """What the names of network hub lack, after missing records were seen *seen* times."""
    (network,) = policy.networks
    assert standing.wanted.network.name == network.name
    view = registry.network("hub")
    return plan_names(network, view, [standing], registry, ZONES, {KEY: seen})


def with_group(group: ZoneGroup | None, registry: Registry = LINKED) -> Registry:
    return with_zone_group(registry, STORAGE, group)


def adopted() -> tuple[PrivateEndpoint, Standing]:
    endpoint = an_endpoint(STORAGE, name="somebodys")
    return endpoint, Standing(wanted=STORAGE, endpoint=endpoint)


# --- zones and links --------------------------------------------------------------------------------------------------


def test_a_zone_that_is_missing_is_created_and_linked_and_only_then_attached() -> None:
    plan = names(a_registry(POLICY), Standing(wanted=STORAGE, change=CREATE))

    create, link, put = plan.changes
    assert create == CreateZone(zone=zone_id(BLOB_ZONE))
    assert isinstance(link, LinkZone)
    assert (link.link.parent, link.network) == (zone_id(BLOB_ZONE), subnet_id().parent)
    assert link.link.is_type("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
    assert link.depends_on == (key_of(create),)
    assert put == PutZoneGroup(
        endpoint=STORAGE.id,
        name="default",
        zones={"privatelink-blob-core-windows-net": zone_id(BLOB_ZONE)},
        depends_on=(key_of(CREATE), key_of(create)),
    )
    assert not plan.ready


def test_a_zone_that_was_read_and_does_not_exist_is_created_too() -> None:
    plan = names(with_zones(a_registry(POLICY), POLICY, exists=False), Standing(wanted=STORAGE, change=CREATE))

    assert [change.kind for change in plan.changes] == ["create-zone", "link-zone", "put-zone-group"]


def test_a_zone_that_may_not_be_created_blocks_and_nothing_is_attached_to_it() -> None:
    policy = a_policy(a_network(create_zones=False), targets=only("storage"))

    plan = names(a_registry(policy), Standing(wanted=STORAGE, change=CREATE), policy)

    assert plan.changes == []
    assert names_of(plan.blocks) == ["ZoneMissing"]
    assert plan.blocks[0].sentence == (
        f"Private DNS zone {BLOB_ZONE} does not exist in rg-dns. Create it, or allow the app to with dns.create_zones of "
        "network hub in the policy."
    )


@pytest.mark.parametrize("seen", range(4))
@pytest.mark.parametrize("group", [None, a_zone_group(STORAGE)])
def test_no_zone_group_is_touched_while_its_zone_is_missing(group: ZoneGroup | None, seen: int) -> None:
    policy = a_policy(a_network(create_zones=False), targets=only("storage"))

    plan = names(with_group(group, with_zones(LINKED, policy, exists=False)), policy=policy, seen=seen)

    assert (plan.changes, plan.waits, names_of(plan.blocks), plan.ready) == ([], [], ["ZoneMissing"], False)


@pytest.mark.parametrize(("link", "kinds"), [("", ["link-zone"]), ("Completed", []), ("InProgress", [])])
def test_an_existing_zone_is_linked_once(link: str, kinds: list[str]) -> None:
    plan = names(with_records(with_zones(LINKED, POLICY, link=link), STORAGE))

    assert [change.kind for change in plan.changes] == kinds
    assert all(change.depends_on == () for change in plan.changes)
    assert plan.ready is (link == "Completed")


def test_a_link_under_way_is_waited_for() -> None:
    (wait,) = names(with_records(with_zones(LINKED, POLICY, link="InProgress"), STORAGE)).waits

    assert (wait.reason.name, wait.delay) == ("LinkInProgress", timedelta(seconds=15))
    assert wait.reason.sentence == f"Zone {BLOB_ZONE} is being linked to vnet-hub."


def test_zones_are_not_linked_where_the_policy_does_not_ask() -> None:
    policy = a_policy(a_network(link_vnet=False), targets=only("storage"))

    assert names(with_records(with_zones(LINKED, policy, link=""), STORAGE), policy=policy).ready
    created = names(a_registry(policy), Standing(wanted=STORAGE, change=CREATE), policy)
    assert [change.kind for change in created.changes] == ["create-zone", "put-zone-group"]


# --- records ----------------------------------------------------------------------------------------------------------


def test_right_records_are_all_that_is_needed() -> None:
    plan = names(with_records(LINKED, STORAGE))

    assert (plan.ready, plan.changes, plan.waits, plan.blocks) == (True, [], [], [])
    assert (plan.sound, plan.broken) == ([KEY], [])


@pytest.mark.parametrize("records", [(), ("10.9.9.9",), ("own", "10.9.9.9")], ids=["none", "another", "one too many"])
def test_anything_but_exactly_the_interfaces_addresses_is_not_ready(records: tuple[str, ...]) -> None:
    own = an_endpoint(STORAGE).addresses
    assert own
    held = [own[0].ip if record == "own" else record for record in records]
    registry = with_record(LINKED, "hub", BLOB_ZONE, STORAGE.target.id.name, *held)

    plan = names(with_group(a_zone_group(STORAGE), registry))

    assert not plan.ready
    assert names_of(plan.waits) == ["RecordsMissing"]
    assert (plan.sound, plan.broken) == ([], [KEY])


def test_an_endpoint_without_a_zone_group_gets_one() -> None:
    (put,) = names(with_group(None)).changes

    assert isinstance(put, PutZoneGroup)
    assert (put.endpoint, put.name, put.depends_on) == (STORAGE.id, "default", ())


@pytest.mark.parametrize("state", ["Updating", "Creating", "Deleting"])
def test_a_zone_group_under_way_is_waited_for(state: str) -> None:
    plan = names(with_group(a_zone_group(STORAGE, state)), seen=5)

    assert names_of(plan.waits) == ["ZoneGroupInProgress"]
    assert (plan.changes, plan.broken, plan.ready) == ([], [], False)


@pytest.mark.parametrize(
    "zones", [{}, a_zone_group(STORAGE, home="rg-central").zones], ids=["empty", "somebody else's zone"]
)
def test_a_zone_group_of_ours_without_our_zone_is_written_again_under_its_own_name(
    zones: Mapping[str, ResourceId],
) -> None:
    group = replace(a_zone_group(STORAGE, name="deployedByPolicy"), zones=zones)

    (put,) = names(with_group(group)).changes

    assert isinstance(put, PutZoneGroup)
    assert put.name == "deployedByPolicy"
    assert put.zones == {"privatelink-blob-core-windows-net": zone_id(BLOB_ZONE)}


@pytest.mark.parametrize("state", ["Succeeded", "Failed"])
def test_records_that_do_not_come_are_waited_for_put_again_made_anew_and_left_to_a_person(state: str) -> None:
    """`Succeeded` with no records at all is what Azure says right after the write."""
    registry = with_group(a_zone_group(STORAGE, state))
    first, second, third, anew, last = (names(registry, seen=seen) for seen in range(5))

    assert [wait.delay for wait in first.waits] == [timedelta(seconds=10)]
    assert [wait.reason.sentence for wait in first.waits] == [
        "stwesteurope0.blob.core.windows.net has no right record yet."
    ]
    assert [type(change) for change in second.changes] == [PutZoneGroup]
    assert [type(change) for change in anew.changes] == [PutZoneGroup]
    assert third.changes == [DeleteZoneGroup(endpoint=STORAGE.id, name="default")]
    assert last.changes == []
    assert names_of(last.blocks) == ["RecordsMissing"]
    assert "although its zone group was put again and made anew" in last.blocks[0].sentence
    assert zone_id(BLOB_ZONE).text in last.blocks[0].sentence
    assert all(plan.broken == [KEY] and not plan.ready for plan in (first, second, third, anew, last))


def test_the_zone_group_of_somebody_elses_endpoint_keeps_what_else_it_holds() -> None:
    endpoint, standing = adopted()
    theirs = {"privatelink-blob": zone_id(BLOB_ZONE, "rg-central")}
    ours = {"our-own-name": zone_id(BLOB_ZONE)}
    group = a_zone_group(STORAGE)

    for held in (theirs, theirs | ours):
        registry = with_zone_group(LINKED, STORAGE, replace(group, zones=held), endpoint.id.key)
        (put,) = plan_names(
            POLICY.networks[0],
            registry.network("hub"),
            [standing],
            registry,
            ZONES,
            {f"names:{endpoint.id.key}": 1},
        ).changes
        assert isinstance(put, PutZoneGroup)
        assert put.endpoint == endpoint.id
        assert put.zones == (held if ours.items() <= held.items() else theirs | dict(group.zones))


@pytest.mark.parametrize("seen", [2, 3])
def test_the_zone_group_of_somebody_elses_endpoint_is_never_deleted(seen: int) -> None:
    endpoint, standing = adopted()
    registry = with_zone_group(LINKED, STORAGE, a_zone_group(STORAGE), endpoint.id.key)

    plan = plan_names(
        POLICY.networks[0], registry.network("hub"), [standing], registry, ZONES, {f"names:{endpoint.id.key}": seen}
    )

    assert plan.changes == []
    assert names_of(plan.blocks) == ["RecordsMissing"]
    assert "was put again. Look for" in plan.blocks[0].sentence


@pytest.mark.parametrize(("policy", "seen"), [(POLICY, 4), (ELSEWHERE, 30), (ELSEWHERE, 0)])
def test_every_name_without_a_record_is_told(policy: IsolationPolicy, seen: int) -> None:
    two = an_endpoint(
        STORAGE, addresses=tuple(Address(ip="10.0.0.4", fqdns=(f"{n}.blob.core.windows.net",)) for n in "ab")
    )

    plan = names(with_group(a_zone_group(STORAGE)), Standing(wanted=STORAGE, endpoint=two), policy, seen=seen)

    (said,) = [*plan.blocks, *(wait.reason for wait in plan.waits)]
    assert said.sentence.startswith("a.blob.core.windows.net, b.blob.core.windows.net ")


@pytest.mark.parametrize("policy", [POLICY, ELSEWHERE])
def test_what_was_never_seen_before_is_seen_for_the_first_time(policy: IsolationPolicy) -> None:
    registry = with_group(a_zone_group(STORAGE))

    plan = plan_names(policy.networks[0], registry.network("hub"), [USED], registry, ZONES, {})

    assert names_of(plan.waits) == ["RecordsMissing"]


def test_an_endpoint_that_does_not_say_its_names_is_waited_for() -> None:
    (wait,) = names(LINKED, Standing(wanted=STORAGE, endpoint=an_endpoint(STORAGE, addresses=None))).waits

    assert (wait.reason.name, wait.reason.sentence) == (
        "NamesUnknown",
        f"{STORAGE.id.name} does not say its names yet.",
    )


def test_a_name_that_no_zone_serves_blocks_and_is_not_waited_for() -> None:
    stray = an_endpoint(STORAGE, addresses=(Address(ip="10.0.0.4", fqdns=("st.blob.storage.example.net",)),))

    plan = names(LINKED, Standing(wanted=STORAGE, endpoint=stray))

    assert (plan.changes, plan.waits, plan.ready) == ([], [], False)
    assert names_of(plan.blocks) == ["NameWithoutZone"]
    assert plan.blocks[0].sentence.startswith(
        f"st.blob.storage.example.net of private endpoint {STORAGE.id.name} belongs to none of the zones {BLOB_ZONE};"
    )


def test_a_stray_name_does_not_keep_the_others_from_their_records() -> None:
    own = an_endpoint(STORAGE).addresses or ()
    stray = an_endpoint(STORAGE, addresses=(*own, Address(ip="10.0.0.4", fqdns=("st.example.net",))))

    plan = names(with_group(None), Standing(wanted=STORAGE, endpoint=stray))

    assert [change.kind for change in plan.changes] == ["put-zone-group"]
    assert names_of(plan.blocks) == ["NameWithoutZone"]


@pytest.mark.parametrize(
    "standing",
    [
        Standing(wanted=STORAGE),
        Standing(wanted=STORAGE, change=replace(CREATE, repair=True)),
    ],
    ids=["blocked or waiting", "under repair"],
)
def test_an_endpoint_that_is_not_there_has_no_names_yet(standing: Standing) -> None:
    plan = names(with_zones(a_registry(POLICY), POLICY), standing)

    assert (plan.ready, plan.changes, plan.waits, plan.blocks) == (False, [], [], [])


# --- DNS that somebody else manages -----------------------------------------------------------------------------------


def reporting(records: Mapping[str, tuple[str, ...]]) -> Registry:
    group = ZoneGroup(
        name="somebodys",
        state="Succeeded",
        zones={"x": zone_id(BLOB_ZONE, "rg-central")},
        records=records,
    )
    return with_group(group, with_endpoint(a_registry(ELSEWHERE), STORAGE, an_endpoint(STORAGE)))


def test_where_dns_is_managed_elsewhere_a_zone_groups_word_is_enough() -> None:
    own = an_endpoint(STORAGE).addresses or ()

    plan = names(reporting({own[0].fqdns[0]: (own[0].ip,)}), policy=ELSEWHERE)

    assert (plan.ready, plan.changes, plan.sound) == (True, [], [KEY])


@pytest.mark.parametrize(
    "registry", [reporting({}), with_group(None, reporting({}))], ids=["no record", "no zone group"]
)
def test_where_dns_is_managed_elsewhere_nothing_is_written_and_waiting_ends(registry: Registry) -> None:
    early, late = names(registry, policy=ELSEWHERE, seen=29), names(registry, policy=ELSEWHERE, seen=30)

    assert (early.changes, late.changes) == ([], [])
    assert names_of(early.waits) == ["RecordsMissing"]
    assert [wait.delay for wait in early.waits] == [timedelta(minutes=1)]
    assert early.waits[0].reason.sentence.endswith("has no record yet; DNS is managed elsewhere.")
    assert names_of(late.blocks) == ["RecordsMissing"]
    assert "DNS of network hub is managed elsewhere (dns.manage is false)" in late.blocks[0].sentence
    assert early.broken == late.broken == [KEY]


def test_where_dns_is_managed_elsewhere_a_new_endpoint_gets_no_zone_group() -> None:
    plan = names(a_registry(ELSEWHERE), Standing(wanted=STORAGE, change=CREATE), ELSEWHERE)

    assert (plan.changes, plan.ready) == ([], False)
