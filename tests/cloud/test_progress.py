"""Progress of long operations: told by the resources, with few reads, and by operation URLs where nothing else tells."""

from collections.abc import Sequence
from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from shared.cloud.group_sizes import LARGE
from shared.core.arm import ResourceId
from shared.core.changes import (
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.errors import ChangedUnderneath, OperationFailed, Throttled
from shared.core.registry import TargetKind
from shared.engine.ports import ProgressState
from shared.engine.records import Operation
from tests.cloud.rig import Rig

RUNNING, SUCCEEDED, FAILED = ProgressState.RUNNING, ProgressState.SUCCEEDED, ProgressState.FAILED


async def several_endpoints(rig: Rig, count: int) -> list[Operation]:
    storage = rig.parts(rig.registry())[0]
    return [await rig.started(rig.endpoint_change(storage, "blob", f"pe-{number}")) for number in range(count)]


async def look(rig: Rig, operations: Sequence[Operation]) -> tuple[set[ProgressState], list[str]]:
    """States, and the requests it took to learn them."""
    before = len(rig.azure.log)
    told = await rig.plane.progress(operations)
    assert set(told) == {key_of(operation.change) for operation in operations}
    return {progress.state for progress in told.values()}, rig.calls("read", before) + rig.calls("poll", before)


async def test_nothing_is_asked_about_nothing() -> None:
    rig = Rig()

    assert await look(rig, []) == (set(), [])


async def test_one_list_call_tells_of_many_endpoints() -> None:
    rig = Rig()
    operations = await several_endpoints(rig, 4)
    collection = f"GET {rig.network_group.text}/providers/Microsoft.Network/privateEndpoints"

    assert await look(rig, operations) == ({RUNNING}, [collection])
    rig.pass_time(60)
    assert await look(rig, operations) == ({SUCCEEDED}, [collection])


async def test_few_endpoints_are_read_one_by_one() -> None:
    rig = Rig()
    operations = await several_endpoints(rig, 2)

    states, requests = await look(rig, operations)

    assert states == {RUNNING}
    assert sorted(requests) == [f"GET {operation.change.resource.text}" for operation in operations]


async def test_one_list_call_tells_of_many_zones() -> None:
    rig = Rig()
    zones = [rig.zone(f"privatelink.{name}.net") for name in "abc"]
    operations = [await rig.started(CreateZone(zone=zone)) for zone in zones]
    collection = f"GET {zones[0].group.text}/providers/Microsoft.Network/privateDnsZones"

    assert await look(rig, operations) == ({RUNNING}, [collection])
    rig.pass_time(60)
    assert await look(rig, operations) == ({SUCCEEDED}, [collection])
    assert await look(rig, operations[:1]) == ({SUCCEEDED}, [f"GET {zones[0].text}"])


async def test_zones_are_read_one_by_one_where_a_listing_was_seen_to_be_large() -> None:
    rig = Rig()
    zones = [rig.zone(f"privatelink.{name}.net") for name in "ab"]
    for number in range(LARGE + 1):
        rig.azure.world.put({"id": rig.zone(f"z{number}.net").text, "location": "global", "properties": {}})
    operations = [await rig.started(CreateZone(zone=zone)) for zone in zones]
    await look(rig, operations)
    rig.pass_time(60)

    states, requests = await look(rig, operations)

    assert states == {SUCCEEDED}
    assert sorted(requests) == [f"GET {zone.text}" for zone in zones]


async def test_operations_of_every_kind_are_answered_at_once() -> None:
    rig = Rig()
    registry = rig.registry()
    storage = rig.parts(registry)[0]
    zone = rig.zone()
    await rig.finished(CreateZone(zone=zone))
    endpoint = rig.endpoint_change(storage, "blob", "pe-old")
    await rig.finished(endpoint)
    changes: list[Change] = [
        CreateZone(zone=rig.zone("privatelink.azurecr.io")),
        LinkZone(zone=zone, link=zone.child("virtualNetworkLinks", "hub"), network=rig.subnet.parent),
        rig.endpoint_change(storage, "blob", "pe-new"),
        PutZoneGroup(endpoint=endpoint.endpoint, name="default", zones={"z": zone}),
        ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY),
    ]
    operations = [await rig.started(change) for change in changes]

    states, requests = await look(rig, operations)
    assert states == {RUNNING}
    assert len(requests) == len(changes)

    rig.pass_time(90)
    states, requests = await look(rig, operations)
    assert states == {SUCCEEDED}
    assert len(requests) == len(changes)


# --- writes -----------------------------------------------------------------------------------------------------------


def unseen(rig: Rig, change: Change) -> Operation:
    """An accepted write of which nothing is to be seen."""
    return Operation(change=change, started=rig.moment, due=rig.moment, url="")


@pytest.mark.parametrize("kind", ["endpoint", "zone", "link", "zone group"])
async def test_what_is_not_there_right_after_its_put_is_running_for_two_minutes(kind: str) -> None:
    rig = Rig()
    zone = rig.zone()
    changes: dict[str, Change] = {
        "endpoint": rig.endpoint_change(rig.parts(rig.registry())[0], "blob"),
        "zone": CreateZone(zone=zone),
        "link": LinkZone(zone=zone, link=zone.child("virtualNetworkLinks", "x"), network=rig.subnet.parent),
        "zone group": PutZoneGroup(endpoint=rig.endpoint(), name="default", zones={}),
    }
    operation = unseen(rig, changes[kind])

    for seconds in (0, 60, 60):
        rig.pass_time(seconds)
        assert (await rig.progress(operation)).state is RUNNING
    rig.pass_time(1)
    told = await rig.progress(operation)

    assert told.state is FAILED
    assert isinstance(told.error, ChangedUnderneath)
    assert "is not there" in told.error.sentence


async def test_a_zone_that_takes_long_is_running_as_long_as_its_operation_says_so() -> None:
    rig = Rig()
    rig.azure.faults.add(Fault(kind=FaultKind.STUCK_OPERATION, method="PUT", path="privateDnsZones"))
    operation = await rig.started(CreateZone(zone=rig.zone()))

    rig.pass_time(600)

    assert (await rig.progress(operation)).state is RUNNING


async def test_a_failed_endpoint_tells_azures_reason_from_its_operation() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    rig.azure.faults.add(
        Fault(
            kind=FaultKind.FAIL_OPERATION,
            method="PUT",
            path="privateEndpoints/pe-1$",
            code="StorageAccountOperationInProgress",
            message="The request requires exclusive access.",
        )
    )

    told = await rig.finished(rig.endpoint_change(storage, "blob"))

    assert told.state is FAILED
    assert told.error is not None
    assert told.error.code == "StorageAccountOperationInProgress"


async def test_a_failed_endpoint_whose_operation_is_forgotten_is_still_failed() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)
    rig.properties(change.endpoint)["provisioningState"] = "Failed"

    told = await rig.progress(unseen(rig, change))

    assert told.state is FAILED
    assert isinstance(told.error, OperationFailed)
    assert "pe-1 is Failed" in told.error.sentence


async def test_a_repair_is_running_although_the_endpoint_still_shows_its_old_failure() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    operation = await rig.started(change)
    rig.properties(change.endpoint)["provisioningState"] = "Failed"

    assert (await rig.progress(operation)).state is RUNNING


async def test_a_throttled_look_is_an_error_that_can_be_repeated() -> None:
    rig = Rig()
    operations = await several_endpoints(rig, 4)
    rig.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="GET", status=429, code="TooManyRequests", headers={"Retry-After": "3"})
    )

    with pytest.raises(Throttled):
        await rig.plane.progress(operations)
    assert (await look(rig, operations))[0] == {RUNNING}


# --- deletions --------------------------------------------------------------------------------------------------------


async def deleting(rig: Rig) -> tuple[CreateEndpoint, Operation]:
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)
    return change, await rig.started(DeleteEndpoint(endpoint=change.endpoint))


async def test_a_deletion_has_succeeded_when_the_endpoint_is_gone() -> None:
    rig = Rig()
    _change, operation = await deleting(rig)

    assert (await rig.progress(operation)).state is RUNNING
    rig.pass_time(60)
    assert (await rig.progress(operation)).state is SUCCEEDED


async def test_a_deletion_that_failed_tells_why() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)
    rig.azure.faults.add(
        Fault(kind=FaultKind.FAIL_OPERATION, method="DELETE", path="privateEndpoints", code="InternalServerError")
    )

    told = await rig.finished(DeleteEndpoint(endpoint=change.endpoint))

    assert told.state is FAILED
    assert told.error is not None


async def test_an_endpoint_that_outlives_its_deletion_without_a_word_is_a_failure_in_the_end() -> None:
    rig = Rig()
    change = rig.endpoint_change(rig.parts(rig.registry())[0], "blob")
    await rig.finished(change)
    operation = unseen(rig, DeleteEndpoint(endpoint=change.endpoint))

    assert (await rig.progress(operation)).state is RUNNING
    rig.pass_time(121)
    told = await rig.progress(operation)

    assert told.state is FAILED
    assert isinstance(told.error, OperationFailed)


# --- closing ----------------------------------------------------------------------------------------------------------


async def closing(rig: Rig) -> tuple[Any, Operation]:
    registry = rig.registry()
    change = ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY)
    return registry, await rig.started(change)


async def test_a_registry_whose_operation_is_forgotten_tells_by_its_own_state() -> None:
    rig = Rig()
    registry, operation = await closing(rig)
    forgotten = Operation(
        change=operation.change, started=operation.started, due=operation.due, url=f"{rig.azure.endpoint}/forgotten"
    )
    rig.azure.faults.add(
        Fault(kind=FaultKind.RESPOND, method="GET", path="forgotten", status=404, code="NotFound", times=9)
    )

    assert (await rig.progress(forgotten)).state is RUNNING
    rig.pass_time(60)
    assert registry.properties["publicNetworkAccess"] == "Disabled"
    assert (await rig.progress(forgotten)).state is SUCCEEDED


async def test_a_registry_that_stays_open_without_a_word_is_a_failure_in_the_end() -> None:
    rig = Rig()
    registry = rig.registry()
    change = ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY)
    operation = unseen(rig, change)

    assert (await rig.progress(operation)).state is RUNNING
    rig.pass_time(121)
    told = await rig.progress(operation)

    assert told.state is FAILED
    assert isinstance(told.error, OperationFailed)
    assert "contoso is open" in told.error.sentence


async def test_a_storage_account_tells_by_its_own_state() -> None:
    rig = Rig()
    storage = rig.parts(rig.registry())[0]
    operation = unseen(rig, ClosePublicAccess(target=storage, target_kind=TargetKind.STORAGE))

    assert (await rig.progress(operation)).state is RUNNING
    await rig.plane.start(operation.change)
    assert (await rig.progress(operation)).state is SUCCEEDED
