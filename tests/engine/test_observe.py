"""What one look at a registry reads, what it leaves out, and what it makes of answers that do not fit."""

from dataclasses import replace

import pytest

from shared.core.errors import AmbiguousGroup, Locked, NotReadyYet, Throttled, Unavailable
from shared.core.registry import (
    STORAGE_TYPE,
    GroupCandidate,
    TargetKind,
)
from tests.core.worlds import (
    GUID,
    MANAGED,
    ZONES,
    a_registry,
    group_id,
    with_record,
    with_target,
)
from tests.engine.desk import ALPHA, SECOND
from tests.engine.look import BLOB_ZONE, NEW, POLICY, PRIVATE, Look
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time


async def test_a_registry_that_azure_does_not_know_costs_one_read() -> None:
    look = Look(None)

    assert await look.maybe() is None
    assert look.counts == {"read_registry": 1}


async def test_an_isolated_registry_costs_seven_reads_and_no_subnet_zone_group_or_replication_is_among_them() -> None:
    look = Look(PRIVATE)

    found = await look.observe(ZONES)

    assert look.counts == {
        "read_registry": 1,
        "list_group": 1,
        "read_storage_account": 1,
        "read_container_registry": 1,
        "list_endpoints": 1,
        "read_addresses": 1,
        "read_zones": 1,
    }
    assert [target.id for target in found.targets] == [target.id for target in PRIVATE.targets]
    assert found.managed_group == MANAGED
    assert found.unlisted == ()


async def test_a_registry_in_the_making_is_read_and_nothing_else() -> None:
    look = Look(replace(NEW, document=replace(NEW.document, complete=False, regions=())))

    with pytest.raises(NotReadyYet, match="its regions are not named yet"):
        await look.observe()

    assert look.counts == {"read_registry": 1}


async def test_the_group_and_all_targets_are_read_at_the_same_time() -> None:
    regions = ("westeurope", "northeurope", "eastus")
    look = Look(a_registry(POLICY, regions=regions, storages=2))
    for call in ("list_group", "read_storage_account", "read_container_registry"):
        look.plane.take(call, SECOND)

    found = await look.observe(ZONES)

    assert look.plane.most_at_once == 1 + 6 + 1
    assert look.clock.now() == EPOCH + SECOND
    assert [target.kind for target in found.targets] == [
        TargetKind.REGISTRY,
        *[TargetKind.STORAGE] * 6,
        TargetKind.ACR,
    ]


async def test_a_managed_group_that_is_not_there_yet_is_waited_for() -> None:
    look = Look(NEW)
    look.plane.group_exists = False

    with pytest.raises(NotReadyYet, match=r"The managed resource group azureml-rg-alpha_.* does not exist yet"):
        await look.observe()


async def test_a_part_that_is_named_but_not_there_yet_is_waited_for() -> None:
    look = Look(replace(NEW, targets=(NEW.targets[0], NEW.targets[2])))

    with pytest.raises(NotReadyYet, match="stwesteurope0 is named by its registry but does not exist yet"):
        await look.observe()


async def test_a_refusal_weighs_more_than_something_that_is_not_there_yet() -> None:
    look = Look(replace(NEW, targets=NEW.targets[:2]))
    look.plane.fail("list_group", Locked("A lock."))

    with pytest.raises(Locked) as caught:
        await look.observe()

    assert caught.value.__notes__ == ["also: NotReadyYet: acralpha is named by its registry but does not exist yet."]


async def test_something_in_the_group_that_the_registry_does_not_name_is_told() -> None:
    stray = with_target(NEW, TargetKind.STORAGE).targets[1]
    listed = replace(NEW, targets=(*NEW.targets, replace(stray, id=MANAGED.resource(STORAGE_TYPE, "stray"))))

    found = await Look(listed).observe()

    assert found.unlisted == ("stray is in the managed resource group but not named by the registry.",)
    assert len(found.targets) == 3


async def test_exempt_kinds_are_read_and_left_out() -> None:
    look = Look(PRIVATE)

    found = await look.observe(ZONES, exempt=frozenset({TargetKind.ACR}))

    assert [target.kind for target in found.targets] == [TargetKind.REGISTRY, TargetKind.STORAGE]
    assert found.unlisted == ()


async def test_a_group_that_the_registry_does_not_name_is_looked_for_by_prefix_in_its_subscription() -> None:
    look = Look(replace(NEW, document=replace(NEW.document, managed_group=None)))
    look.plane.candidates = (
        GroupCandidate(id=group_id(f"azureml-rg-alpha_b_{GUID}"), managed_by=""),
        GroupCandidate(id=MANAGED, managed_by=ALPHA.text.upper()),
    )

    found = await look.observe()

    assert found.managed_group == MANAGED
    assert look.plane.asked("find_groups") == [(ALPHA.subscription, "azureml-rg-alpha_")]
    assert look.plane.asked("list_group") == [MANAGED]


async def test_two_groups_that_could_be_it_are_told_by_name() -> None:
    look = Look(replace(NEW, document=replace(NEW.document, managed_group=None)))
    other = group_id("azureml-rg-alpha_ffffffff-4e5f-4a6b-8c7d-9e0f1a2b3c4d")
    look.plane.candidates = (GroupCandidate(id=MANAGED, managed_by=""), GroupCandidate(id=other, managed_by=""))

    with pytest.raises(AmbiguousGroup, match=f"{MANAGED.name} and {other.name}"):
        await look.observe()

    assert look.counts == {"read_registry": 1, "find_groups": 1}


# --- failures --------------------------------------------------------------------------------------------------------


async def test_every_read_is_tried_again_within_the_pass() -> None:
    look = Look(with_record(PRIVATE, "hub", BLOB_ZONE, "stwesteurope0"))
    calls = ["read_registry", "list_group", "read_storage_account", "read_container_registry", "list_endpoints"]
    for call in [*calls, "read_addresses", "read_zones", "read_zone_group"]:
        look.plane.fail(call, Throttled("Slow down.", retry_after=SECOND))

    await look.observe(ZONES)

    assert set(look.counts.values()) == {2}


async def test_a_read_that_stays_silent_ends_the_observation() -> None:
    look = Look(PRIVATE)
    look.plane.fail("read_zones", *[Unavailable("No answer.")] * 4)

    with pytest.raises(Unavailable):
        await look.observe(ZONES)
