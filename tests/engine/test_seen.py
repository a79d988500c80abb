"""What an observation tells of operations under way, and when it is left to it."""

import pytest

from shared.core.changes import Change, ClosePublicAccess, CreateZone, LinkZone, PutZoneGroup, key_of
from shared.core.naming import link_name
from shared.core.registry import TargetKind
from shared.engine.seen import left_to_observation, shown_done
from tests.core.worlds import ZONES, a_policy, a_registry, private, registry_id, want, with_view, with_zones, zone_id
from tests.engine.plane import SUCCEEDED
from tests.engine.test_pacing import an_operation, at

POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
BLOB = zone_id(ZONES["blob"][0])
VNET = POLICY.networks[0].vnet_id
LINK = LinkZone(zone=BLOB, link=BLOB.child("virtualNetworkLinks", link_name(VNET)), network=VNET)
GROUP = PutZoneGroup(
    endpoint=want(NEW, POLICY, "storage").id, name="default", zones={"privatelink-blob-core-windows-net": BLOB}
)
CLOSE = ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY)


def the_link() -> LinkZone:
    """The link as the world of the tests names it."""
    (link,) = PRIVATE.networks[0].zones[BLOB.name].links or ()
    return LinkZone(zone=BLOB, link=link.id, network=VNET)


def test_links_and_zone_groups_that_are_due_are_left_to_the_observation() -> None:
    operations = [an_operation(LINK, due=36), an_operation(GROUP, due=3.5)]

    assert left_to_observation(operations, [], at(36))
    assert left_to_observation([], [], at(0))


@pytest.mark.parametrize(
    ("changes", "pending", "now"),
    [
        ([LINK, GROUP], [], 35.9),
        ([LINK, GROUP], [CLOSE], 36),
        ([LINK, CreateZone(zone=BLOB)], [], 36),
        ([CLOSE], [], 36),
    ],
    ids=["not due", "something waits", "a zone is made", "a closing"],
)
def test_anything_else_is_asked_after(changes: list[Change], pending: list[Change], now: float) -> None:
    assert not left_to_observation([an_operation(change, due=36) for change in changes], pending, at(now))


def test_a_complete_link_and_right_records_are_done() -> None:
    operations = [an_operation(the_link()), an_operation(GROUP)]

    assert shown_done(operations, PRIVATE) == {key_of(the_link()): SUCCEEDED, key_of(GROUP): SUCCEEDED}


def test_a_link_that_is_not_complete_and_records_that_are_missing_are_not() -> None:
    linking = with_zones(PRIVATE, POLICY, link="InProgress")
    bare = with_view(linking, zones={name: z for name, z in linking.networks[0].zones.items() if name != BLOB.name})

    assert shown_done([an_operation(the_link())], linking) == {}
    assert shown_done([an_operation(the_link()), an_operation(GROUP)], bare) == {}


def test_an_endpoint_whose_addresses_were_not_read_tells_nothing_of_its_zone_group() -> None:
    assert shown_done([an_operation(GROUP)], with_view(PRIVATE, endpoints=())) == {}


def test_what_an_observation_does_not_read_it_does_not_tell() -> None:
    assert shown_done([an_operation(CLOSE), an_operation(CreateZone(zone=BLOB))], PRIVATE) == {}
