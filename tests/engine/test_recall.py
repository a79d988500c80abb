"""What a chain of passes may use again, for how long, and what ends it."""

from datetime import timedelta

import pytest

from shared.core.arm import ResourceId
from shared.core.registry import Address, TargetKind, Zone
from shared.engine.ports import ZoneQuery
from shared.engine.recall import _REMEMBERED, DAY, FRESH, Recall, Recollection
from tests.core.worlds import a_policy, a_registry, group_id, registry_id, zone_id
from tests.engine.desk import ALPHA, SECOND
from tests.virtual_time import LoopClock

pytestmark = pytest.mark.virtual_time

NIC = group_id("rg-hub").resource("Microsoft.Network/networkInterfaces", "pe.nic.1")
OTHER_NIC = group_id("rg-hub").resource("Microsoft.Network/networkInterfaces", "pe.nic.2")
ADDRESSES = {NIC: (Address(ip="10.0.0.4", fqdns=("a.b.net",)),)}
QUERY = ZoneQuery(zone=zone_id("privatelink.b.net"), records=("a",), links=True)
ZONE = Zone(id=QUERY.zone, exists=True, records={"a": ("10.0.0.4",)})
LISTED: tuple[ResourceId, ...] = (group_id("managed").resource("Microsoft.Storage/storageAccounts", "st"),)


class Chain:
    """Observations of one registry in one process."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.recall = Recall(self.clock)

    def read_all(self, generation: int = 1, *, verified: bool = True) -> None:
        seen = self.recall.begin(ALPHA, generation, names=False)
        seen.note_listed(LISTED)
        seen.note_addresses(ADDRESSES)
        seen.note_zones([QUERY], {QUERY.zone: ZONE})
        self.recall.keep(ALPHA, seen, verified=verified)

    def begin(self, generation: int = 1, *, names: bool = True) -> Recollection:
        return self.recall.begin(ALPHA, generation, names=names)


def names_in(seen: Recollection) -> bool:
    """Whether both addresses and zones are known."""
    addresses = seen.addresses([NIC])
    zones = seen.zones([QUERY])
    assert (addresses is None) == (zones is None)
    return zones == {QUERY.zone: ZONE} and addresses == ADDRESSES


async def test_verified_names_are_used_again_for_five_minutes() -> None:
    chain = Chain()
    chain.read_all()

    await chain.clock.sleep(FRESH)
    assert names_in(chain.begin())
    assert chain.begin().listed() == LISTED
    await chain.clock.sleep(SECOND)
    assert not names_in(chain.begin())
    assert chain.begin().listed() is None


async def test_names_that_were_not_verified_are_read_again_and_the_list_is_not() -> None:
    chain = Chain()
    chain.read_all(verified=False)

    assert not names_in(chain.begin())
    assert chain.begin().listed() == LISTED


async def test_names_are_read_again_unless_the_observer_may_use_them() -> None:
    chain = Chain()
    chain.read_all()

    assert not names_in(chain.begin(names=False))


async def test_names_of_which_an_event_told_since_are_read_again() -> None:
    chain = Chain()
    await chain.clock.sleep(SECOND)
    before = chain.clock.now() - SECOND
    chain.read_all()

    assert names_in(chain.recall.begin(ALPHA, 1, names=True, since=before))
    assert not names_in(chain.recall.begin(ALPHA, 1, names=True, since=chain.clock.now()))


async def test_another_request_reads_everything() -> None:
    chain = Chain()
    chain.read_all()
    later = chain.begin(generation=2)

    assert not names_in(later)
    assert later.listed() is None


async def test_another_registry_knows_nothing_of_it() -> None:
    chain = Chain()
    chain.read_all()

    assert chain.recall.begin(registry_id("beta"), 1, names=True).listed() is None


async def test_a_new_interface_makes_all_names_doubtful() -> None:
    chain = Chain()
    chain.read_all()
    seen = chain.begin()

    assert seen.addresses([NIC, OTHER_NIC]) is None
    assert seen.zones([QUERY]) is None


async def test_a_question_that_was_not_asked_before_has_no_answer() -> None:
    chain = Chain()
    chain.read_all()
    other = ZoneQuery(zone=QUERY.zone, records=("a", "b"), links=True)

    assert chain.begin().zones([QUERY, other]) is None


async def test_using_an_answer_again_does_not_make_it_younger() -> None:
    chain = Chain()
    chain.read_all()
    for _ in range(3):
        await chain.clock.sleep(timedelta(minutes=1, seconds=30))
        seen = chain.begin()
        assert names_in(seen)
        assert seen.listed() == LISTED
        chain.recall.keep(ALPHA, seen, verified=True)

    await chain.clock.sleep(timedelta(minutes=1))
    assert not names_in(chain.begin())
    assert chain.begin().listed() is None


async def test_a_pass_that_verifies_nothing_ends_it() -> None:
    chain = Chain()
    chain.read_all()
    seen = chain.begin()
    assert names_in(seen)
    chain.recall.keep(ALPHA, seen, verified=False)

    assert not names_in(chain.begin())


async def test_a_target_that_the_pass_itself_has_read_is_not_read_again() -> None:
    target = next(target for target in a_registry(a_policy()).targets if target.kind is TargetKind.STORAGE)
    seen = Chain().recall.begin(ALPHA, 1, names=False, targets=(target,))

    assert seen.target(target.id) == target
    assert seen.target(ALPHA) is None
    assert Recollection.nothing().target(target.id) is None


async def test_what_is_remembered_is_bounded() -> None:
    chain = Chain()
    chain.read_all()
    for number in range(_REMEMBERED):
        registry = registry_id(f"r{number}")
        chain.recall.keep(registry, chain.recall.begin(registry, 1, names=False), verified=True)

    assert chain.begin().listed() is None


async def test_zone_names_that_one_target_told_serve_all_of_its_kind_for_a_day() -> None:
    chain = Chain()
    seen = chain.recall.begin(ALPHA, 1, names=False)
    assert seen.zone_names(TargetKind.STORAGE) is None
    seen.note_zone_names(TargetKind.STORAGE, {"blob": ("privatelink.b.net",)})
    seen.note_zone_names(TargetKind.ACR, {})

    other = chain.recall.begin(registry_id("beta"), 9, names=False)
    assert other.zone_names(TargetKind.STORAGE) == {"blob": ("privatelink.b.net",)}
    assert other.zone_names(TargetKind.ACR) is None
    await chain.clock.sleep(DAY + SECOND)
    assert chain.begin().zone_names(TargetKind.STORAGE) is None


async def test_a_question_about_no_zone_is_answered_by_whoever_knows_nothing_and_leaves_nothing_to_recall() -> None:
    chain = Chain()
    seen = chain.begin()

    assert seen.zones([]) == {}
    chain.recall.keep(ALPHA, seen, verified=True)
    assert not chain.recall.recalls_names(ALPHA, 1, None)
    assert not names_in(chain.begin())
