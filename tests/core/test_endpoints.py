from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.arm import ResourceId
from shared.core.changes import CreateEndpoint, DeleteEndpoint
from shared.core.endpoints import (
    Standing,
    WantedEndpoint,
    address_shortage,
    assess,
    candidates,
    status_towards,
)
from shared.core.naming import endpoint_tags
from shared.core.registry import Connection, ConnectionStatus, EndpointConnection, PrivateEndpoint, Registry, TargetKind
from tests.core.worlds import (
    a_policy,
    a_registry,
    a_view,
    an_endpoint,
    refused_by_target,
    registry_id,
    subnet_id,
    want,
    wanted,
    with_endpoint,
    with_target,
    with_view,
)

POLICY = a_policy()
NEW = a_registry(POLICY)
STORAGE = want(NEW, POLICY, "storage")
ACR = want(NEW, POLICY, "acr")
REFUSED = [ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED]


def stand(
    registry: Registry, wish: WantedEndpoint = STORAGE, seen: int = 0, refused: Iterable[ResourceId] = ()
) -> Standing:
    """How *wish* stands, its target taken from *registry*, after its trouble was seen *seen* times."""
    target = next(target for target in registry.targets if target.id == wish.target.id)
    return assess(
        replace(wish, target=target),
        registry.network(wish.network.name),
        registry,
        {wish.id.key: seen},
        frozenset(refused),
    )


def with_one(endpoint: PrivateEndpoint, wish: WantedEndpoint = STORAGE) -> Registry:
    return with_endpoint(NEW, wish, endpoint)


# --- connections ------------------------------------------------------------------------------------------------------


def test_the_group_of_a_connection_is_compared_without_case() -> None:
    connection = EndpointConnection(target=STORAGE.target.id, groups=("BLOB",), status=ConnectionStatus.APPROVED)

    assert (
        status_towards(an_endpoint(STORAGE, connections=(connection,)), replace(STORAGE, group="Blob"))
        is ConnectionStatus.APPROVED
    )


def test_a_connection_to_another_target_or_group_says_nothing() -> None:
    other = replace(STORAGE, target=replace(STORAGE.target, id=ACR.target.id))
    assert status_towards(an_endpoint(ACR), STORAGE) is None
    assert status_towards(an_endpoint(other), STORAGE) is None
    assert status_towards(an_endpoint(STORAGE), replace(STORAGE, group="dfs")) is None
    assert status_towards(an_endpoint(STORAGE, connections=()), STORAGE) is None


@pytest.mark.parametrize("status", [*REFUSED, ConnectionStatus.TIMEOUT, ConnectionStatus.PENDING])
def test_the_target_has_the_last_word_about_a_connection(status: ConnectionStatus) -> None:
    registry = refused_by_target(NEW, STORAGE, status)
    wish = want(registry, POLICY, "storage")

    assert status_towards(an_endpoint(wish), wish) is status
    assert status_towards(an_endpoint(wish, status=ConnectionStatus.PENDING), wish) is ConnectionStatus.PENDING
    assert status_towards(an_endpoint(wish, name="somebodys"), wish) is ConnectionStatus.APPROVED


def test_of_two_refusals_the_answer_is_always_the_same() -> None:
    said = tuple(Connection(endpoint=STORAGE.id, status=status) for status in REFUSED)
    answers = {
        status_towards(an_endpoint(STORAGE), replace(STORAGE, target=replace(STORAGE.target, connections=connections)))
        for connections in (said, said[::-1])
    }

    assert answers == {ConnectionStatus.DISCONNECTED}


def test_own_endpoints_come_first_among_those_that_fit() -> None:
    registry = with_one(an_endpoint(STORAGE, name="a-first"))
    registry = with_endpoint(registry, STORAGE, an_endpoint(STORAGE))
    registry = with_endpoint(registry, STORAGE, an_endpoint(STORAGE, name="another"))
    registry = with_endpoint(
        registry, STORAGE, an_endpoint(STORAGE, name="elsewhere", subnet=subnet_id("hub", "other"))
    )
    registry = with_endpoint(registry, STORAGE, an_endpoint(ACR))

    found = candidates(STORAGE, registry.network("hub"))

    assert [endpoint.id.name for endpoint in found] == [STORAGE.id.name, "a-first", "another"]


# --- standing ---------------------------------------------------------------------------------------------------------


def test_a_missing_endpoint_is_created_in_the_networks_region_and_marked_as_ours() -> None:
    view = a_view(STORAGE.network)
    assert view.subnet is not None
    elsewhere = with_view(NEW, subnet=replace(view.subnet, location="northeurope"))

    assert stand(elsewhere).change == CreateEndpoint(
        endpoint=STORAGE.id,
        location="northeurope",
        subnet=subnet_id(),
        target=STORAGE.target.id,
        group="blob",
        tags=endpoint_tags(registry_id()),
    )


def test_our_approved_endpoint_is_used() -> None:
    standing = stand(with_one(an_endpoint(STORAGE, state="succeeded")))

    assert standing.approved
    assert standing.endpoint is not None
    assert standing.endpoint.id == STORAGE.id


def test_an_approved_endpoint_of_somebody_else_in_the_subnet_is_adopted() -> None:
    standing = stand(with_one(an_endpoint(STORAGE, name="somebodys")))

    assert standing.endpoint is not None
    assert standing.endpoint.id.name == "somebodys"
    assert standing.change is None


def test_an_endpoint_in_another_subnet_is_not_adopted() -> None:
    elsewhere = an_endpoint(STORAGE, name="somebodys", subnet=subnet_id("hub", "other"))

    assert isinstance(stand(with_one(elsewhere)).change, CreateEndpoint)


def test_an_endpoint_whose_names_belong_to_others_is_not_adopted() -> None:
    theirs = an_endpoint(STORAGE, name="somebodys")

    standing = stand(with_one(theirs), refused=[theirs.id])

    assert isinstance(standing.change, CreateEndpoint)
    assert standing.change.endpoint == STORAGE.id


def test_our_own_endpoint_is_ours_whatever_its_zone_group_holds() -> None:
    assert stand(with_one(an_endpoint(STORAGE)), refused=[STORAGE.id]).approved


@pytest.mark.parametrize("status", [ConnectionStatus.PENDING, *REFUSED])
def test_an_unapproved_endpoint_of_somebody_else_is_ignored(status: ConnectionStatus) -> None:
    standing = stand(with_one(an_endpoint(STORAGE, name="somebodys", status=status)), seen=1)

    assert isinstance(standing.change, CreateEndpoint)
    assert (standing.change.endpoint, standing.change.repair) == (STORAGE.id, False)


DEAD = [
    an_endpoint(STORAGE, state="Failed"),
    *(an_endpoint(STORAGE, status=status) for status in REFUSED),
]


@pytest.mark.parametrize("own", DEAD, ids=lambda e: f"{e.state}-{e.connections[0].status.value}")
def test_an_approved_foreign_endpoint_stands_in_for_a_dead_one_of_ours_which_goes(own: PrivateEndpoint) -> None:
    standing = stand(with_endpoint(with_one(own), STORAGE, an_endpoint(STORAGE, name="somebodys")))

    assert standing.endpoint is not None
    assert (standing.endpoint.id.name, standing.broken) == ("somebodys", "")
    assert standing.change == DeleteEndpoint(endpoint=STORAGE.id)


def test_a_dead_endpoint_of_somebody_else_is_left_alone() -> None:
    dead = an_endpoint(STORAGE, name="somebodys-dead", status=ConnectionStatus.REJECTED)

    standing = stand(with_endpoint(with_one(dead), STORAGE, an_endpoint(STORAGE, name="somebodys")))

    assert standing.approved
    assert standing.change is None


@pytest.mark.parametrize(
    "own",
    [
        an_endpoint(STORAGE, state="Deleting", status=ConnectionStatus.DISCONNECTED),
        an_endpoint(STORAGE, state="Creating", status=ConnectionStatus.PENDING),
        an_endpoint(STORAGE, status=ConnectionStatus.PENDING),
    ],
    ids=lambda e: f"{e.state}-{e.connections[0].status.value}",
)
def test_one_of_ours_that_may_yet_live_stays_beside_the_one_that_stands_in(own: PrivateEndpoint) -> None:
    standing = stand(with_endpoint(with_one(own), STORAGE, an_endpoint(STORAGE, name="somebodys")))

    assert standing.approved
    assert standing.change is None


@pytest.mark.parametrize("state", ["Creating", "Updating", "Deleting", "updating"])
@pytest.mark.parametrize("name", ["", "somebodys"])
def test_an_endpoint_under_way_is_waited_for(state: str, name: str) -> None:
    standing = stand(with_one(an_endpoint(STORAGE, name=name, state=state, status=ConnectionStatus.PENDING)))

    assert standing.wait is not None
    assert (standing.wait.reason.name, standing.wait.delay) == ("EndpointInProgress", timedelta(seconds=10))
    assert standing.wait.reason.sentence == f"Private endpoint {name or STORAGE.id.name} is {state}."
    assert (standing.change, standing.block, standing.broken) == (None, None, "")


BROKEN = [
    an_endpoint(STORAGE, state="Failed"),
    an_endpoint(STORAGE, state="Canceled"),
    an_endpoint(STORAGE, state="Failed", status=ConnectionStatus.PENDING),
    *(an_endpoint(STORAGE, status=status) for status in (*REFUSED, ConnectionStatus.TIMEOUT)),
]


@pytest.mark.parametrize("endpoint", BROKEN, ids=lambda e: f"{e.state}-{e.connections[0].status.value}")
def test_a_broken_endpoint_of_ours_is_put_again_then_made_anew_then_left_to_a_person(endpoint: PrivateEndpoint) -> None:
    marked = replace(endpoint, location="northeurope", tags={"cost": "42"})
    first, second, anew, last = (stand(with_one(marked), seen=seen) for seen in range(4))

    for put in (first.change, anew.change):
        assert isinstance(put, CreateEndpoint)
        assert (put.repair, put.location, put.tags) == (True, "northeurope", {"cost": "42"})
    assert second.change == DeleteEndpoint(endpoint=STORAGE.id)
    assert first.broken == second.broken == anew.broken == STORAGE.id.key
    assert last.block is not None
    assert last.block.name == "OperationFailed"
    assert "although it was put again and made anew" in last.block.sentence
    assert STORAGE.id.text in last.block.sentence


def test_an_endpoint_that_its_target_rejects_is_broken_whatever_it_says_itself() -> None:
    registry = refused_by_target(with_one(an_endpoint(STORAGE)), STORAGE, ConnectionStatus.REJECTED)

    assert stand(registry, seen=1).change == DeleteEndpoint(endpoint=STORAGE.id)


def test_an_endpoint_that_is_gone_is_created_however_often_it_was_broken() -> None:
    change = stand(NEW, seen=7).change

    assert isinstance(change, CreateEndpoint)
    assert not change.repair


@pytest.mark.parametrize("status", [ConnectionStatus.PENDING, ConnectionStatus.UNKNOWN])
def test_a_connection_that_awaits_approval_is_blocked_with_the_action_that_is_missing(status: ConnectionStatus) -> None:
    standing = stand(with_one(an_endpoint(STORAGE, status=status)), seen=1)

    assert standing.block is not None
    assert standing.block.name == "ApprovalPending"
    assert f"is {status.value}: approve it on {STORAGE.target.id.text}" in standing.block.sentence
    assert "Microsoft.Storage/storageAccounts/privateEndpointConnectionsApproval/action" in standing.block.sentence
    assert standing.change is None


def unconfirmed(seen: int) -> Standing:
    registry = refused_by_target(with_one(an_endpoint(STORAGE)), STORAGE, ConnectionStatus.PENDING)
    target = next(target for target in registry.targets if target.id == STORAGE.target.id)
    repairs = {f"approval:{STORAGE.id.key}": seen}
    return assess(replace(STORAGE, target=target), registry.network("hub"), registry, repairs, frozenset())


def test_an_approval_that_the_target_does_not_confirm_is_waited_for_and_then_left_to_a_person() -> None:
    first, last = unconfirmed(0), unconfirmed(10)

    assert not first.approved
    assert first.change is None
    assert first.wait is not None
    assert first.wait.reason.name == "ApprovalUnconfirmed"
    assert f"{STORAGE.target.id.name} says Pending" in first.wait.reason.sentence
    assert last.wait is None
    assert last.block is not None
    assert last.block.name == "ApprovalPending"


def test_an_approval_that_nobody_gave_in_time_is_asked_for_again() -> None:
    registry = refused_by_target(with_one(an_endpoint(STORAGE)), STORAGE, ConnectionStatus.TIMEOUT)

    change = stand(registry).change

    assert isinstance(change, CreateEndpoint)
    assert change.repair


# --- what stands in the way of creating -------------------------------------------------------------------------------


@pytest.mark.parametrize(("sku", "shown"), [("Basic", "Basic"), ("Standard", "Standard"), ("", "unknown")])
def test_a_container_registry_that_is_not_premium_is_blocked(sku: str, shown: str) -> None:
    block = stand(with_target(NEW, TargetKind.ACR, sku=sku), ACR).block

    assert block is not None
    assert block.name == "UnsupportedSku"
    assert f"Container registry acralpha has sku {shown}" in block.sentence
    assert "Upgrade it, or take acr out of the policy's targets." in block.sentence


def test_the_sku_is_compared_without_case_and_only_of_container_registries() -> None:
    assert stand(with_target(NEW, TargetKind.ACR, sku="PREMIUM"), ACR).change is not None
    assert stand(with_target(NEW, TargetKind.STORAGE, sku="Standard_LRS")).change is not None


def test_a_subnet_that_does_not_exist_is_blocked_and_named() -> None:
    block = stand(with_view(NEW, subnet=None, subnet_problem="does not exist, or its virtual network does not")).block

    assert block is not None
    assert block.name == "SubnetUnusable"
    assert block.sentence == (
        f"Subnet endpoints of network hub in the policy does not exist, or its virtual network does not ({subnet_id()})."
    )


def test_a_subnet_that_was_not_found_without_a_reason_is_blocked_too() -> None:
    block = stand(with_view(NEW, subnet=None)).block

    assert block is not None
    assert f"Subnet endpoints of network hub in the policy does not exist ({subnet_id()})." in block.sentence


def test_a_delegated_subnet_is_blocked_and_its_service_named() -> None:
    view = a_view(STORAGE.network)
    assert view.subnet is not None

    block = stand(with_view(NEW, subnet=replace(view.subnet, delegation="Microsoft.Web/serverFarms"))).block

    assert block is not None
    assert block.name == "SubnetUnusable"
    assert "is delegated to Microsoft.Web/serverFarms" in block.sentence


def test_a_subnet_is_none_of_our_business_while_nothing_is_to_be_created() -> None:
    registry = with_view(with_one(an_endpoint(STORAGE)), subnet=None, subnet_problem="is not readable")

    assert stand(registry).approved


@pytest.mark.parametrize("state", ["Creating", "Updating", "ResolvingDns"])
def test_a_target_under_way_is_waited_for(state: str) -> None:
    wait = stand(with_target(NEW, TargetKind.STORAGE, provisioning=state)).wait

    assert wait is not None
    assert (wait.reason.name, wait.reason.sentence) == ("TargetInProgress", f"stwesteurope0 is {state}.")
    assert wait.delay == timedelta(seconds=15)


def test_a_container_registry_that_still_replicates_is_waited_for_and_its_regions_named() -> None:
    wait = stand(with_target(NEW, TargetKind.ACR, replicas_pending=("eastus", "westus2")), ACR).wait

    assert wait is not None
    assert (wait.reason.name, wait.delay) == ("ReplicationInProgress", timedelta(seconds=30))
    assert wait.reason.sentence == "Container registry acralpha still replicates to eastus, westus2."


# --- room in the subnet -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("regions", "needed"), [(("westeurope",), 4), (("westeurope", "eastus"), 6)])
def test_a_subnet_without_room_is_told_before_anything_is_created(regions: tuple[str, ...], needed: int) -> None:
    registry = a_registry(POLICY, regions=regions)
    creating = wanted(registry, POLICY)
    network = STORAGE.network

    assert address_shortage(creating, a_view(network, free=needed), registry) is None
    shortage = address_shortage(creating, a_view(network, free=needed - 1), registry)
    assert shortage is not None
    assert shortage.name == "SubnetUnusable"
    assert f"has {needed - 1} free addresses, the endpoints of alpha need at least {needed}" in shortage.sentence


def test_room_that_nobody_could_count_is_not_refused() -> None:
    creating = wanted(NEW, POLICY)

    assert address_shortage(creating, a_view(STORAGE.network, free=None), NEW) is None
    assert address_shortage(creating, replace(a_view(STORAGE.network), subnet=None), NEW) is None


def test_a_full_subnet_is_enough_for_nothing_new() -> None:
    assert address_shortage([], a_view(STORAGE.network, free=0), NEW) is None
