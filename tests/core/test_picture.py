"""A registry's network as a picture: what is open, what leads in, what resolves."""

from dataclasses import replace

from shared.core.picture import MOST_DOORS, picture_of
from shared.core.registry import Access, ConnectionStatus, TargetKind
from shared.engine.records import ROW
from tests.core.worlds import (
    NOW,
    a_policy,
    a_registry,
    closed,
    group_id,
    private,
    refused_by_target,
    want,
    wanted,
    with_endpoint,
    with_target,
    with_view,
)
from tests.engine.desk import a_row

POLICY = a_policy()


def test_a_fresh_registry_has_only_open_doors() -> None:
    picture = picture_of(a_registry(POLICY), NOW)

    assert [(door.kind, door.access) for door in picture.doors] == [(kind, Access.OPEN) for kind in TargetKind]
    assert picture.open_doors == 3
    assert (picture.ways, picture.zones) == ((), ())


def test_an_isolated_registry_has_a_sound_way_to_every_closed_door() -> None:
    picture = picture_of(closed(private(a_registry(POLICY), POLICY)), NOW)

    assert picture.open_doors == 0
    assert {way.target for way in picture.ways if way.sound} == {door.target for door in picture.doors}
    assert all(way.own and way.addresses and way.resolving == way.names > 0 for way in picture.ways)
    assert all(zone.exists and zone.linked and zone.records for zone in picture.zones)


def test_a_name_without_its_record_makes_a_way_unsound() -> None:
    registry = private(a_registry(POLICY), POLICY)
    zones = {name: replace(zone, records={}) for name, zone in registry.network("hub").zones.items()}

    picture = picture_of(with_view(registry, zones=zones), NOW)

    assert all(way.resolving == 0 and not way.sound for way in picture.ways)


def test_where_names_are_answered_elsewhere_nothing_is_said_of_them() -> None:
    picture = picture_of(with_view(private(a_registry(POLICY), POLICY), zones={}), NOW)

    assert all(way.resolving is None and way.sound for way in picture.ways)


def test_a_connection_that_the_target_refuses_is_shown_as_refused() -> None:
    registry = private(a_registry(POLICY), POLICY)
    wish = want(registry, POLICY, "acr")

    picture = picture_of(refused_by_target(registry, wish, ConnectionStatus.REJECTED), NOW)

    shown = {way.endpoint: way.status for way in picture.ways}
    assert shown[wish.id] is ConnectionStatus.REJECTED
    assert {status for endpoint, status in shown.items() if endpoint != wish.id} == {ConnectionStatus.APPROVED}


def test_an_endpoint_that_leads_to_something_else_as_well_is_drawn_for_the_registrys_part_only() -> None:
    registry = private(a_registry(POLICY), POLICY)
    wish = want(registry, POLICY, "acr")
    (endpoint,) = [each for each in registry.network("hub").endpoints if each.id == wish.id]
    vault = replace(endpoint.connections[0], target=group_id("rg-x").resource("Microsoft.KeyVault/vaults", "kv"))
    both = replace(endpoint, connections=(vault, *endpoint.connections))

    picture = picture_of(with_endpoint(registry, wish, both), NOW)

    assert [way.target for way in picture.ways if way.endpoint == wish.id] == [wish.target.id]


def test_a_large_registry_is_cut_and_says_so() -> None:
    registry = a_registry(POLICY, storages=MOST_DOORS + 3)

    picture = picture_of(registry, NOW)

    assert len(picture.doors) == MOST_DOORS
    assert picture.more == len(registry.targets) - MOST_DOORS


def test_a_picture_survives_the_ledger() -> None:
    registry = with_target(private(a_registry(POLICY), POLICY), TargetKind.ACR, sku="Premium")
    picture = picture_of(registry, NOW)
    assert len(picture.ways) == len(wanted(registry, POLICY))

    row = a_row(picture=picture)

    assert ROW.validate_json(ROW.dump_json(row)).picture == picture
