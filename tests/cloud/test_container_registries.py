"""Container registries: closed in the Premium tier only, and never mind their replications until asked."""

from typing import Any

import pytest

from shared.cloud.container_registries import ContainerRegistries
from shared.core.arm import ResourceId
from shared.core.changes import ClosePublicAccess, key_of
from shared.core.errors import ChangedUnderneath, UnsupportedSku
from shared.core.registry import Access, TargetKind
from shared.core.report import Done, Started
from shared.engine.ports import ProgressState
from shared.engine.records import Operation
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.rig import Rig

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
ACR = ResourceId.parse(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/acr1"
)
OPERATION = f"https://management.azure.com{ACR.text}/operationStatuses/registries-1?api-version=2025-11-01"


def document(*, sku: str = "Premium", access: str = "Enabled", state: str = "Succeeded") -> dict[str, Any]:
    properties = {
        "provisioningState": state,
        "publicNetworkAccess": access,
        "networkRuleSet": {"defaultAction": "Allow", "ipRules": [], "future": 1},
        "networkRuleBypassOptions": "AzureServices",
    }
    return {"id": ACR.text, "location": "westeurope", "sku": {"name": sku}, "properties": properties}


class Service:
    """A container registry that answers one PATCH."""

    def __init__(self, before: dict[str, Any], patched: Reply | None = None) -> None:
        self.before = before
        self.patched = patched or Reply(200, document(access="Disabled"))
        self.transport = AnsweringTransport(self.answer)
        self.registries = ContainerRegistries(arm_client(self.transport))

    def answer(self, sent: Sent) -> Reply:
        return self.patched if sent.method == "PATCH" else Reply(200, self.before)

    @property
    def writes(self) -> list[Any]:
        return [sent.body for sent in self.transport.sent if sent.method != "GET"]


def closing(registry: ResourceId) -> ClosePublicAccess:
    return ClosePublicAccess(target=registry, target_kind=TargetKind.ACR)


async def test_the_snapshot_holds_what_undo_needs() -> None:
    target = await Service(document()).registries.read(ACR)

    assert target is not None
    assert target.network_settings == {
        "publicNetworkAccess": "Enabled",
        "networkRuleSet": {"defaultAction": "Allow", "ipRules": [], "future": 1},
        "networkRuleBypassOptions": "AzureServices",
    }
    assert (target.sku, target.provisioning, target.replicas_pending) == ("Premium", "Succeeded", ())


async def test_closing_sends_one_member_in_one_patch() -> None:
    service = Service(document())

    assert isinstance(await service.registries.close(ACR), Done)

    assert service.writes == [{"properties": {"publicNetworkAccess": "Disabled"}}]


async def test_closing_a_closed_registry_writes_nothing() -> None:
    service = Service(document(access="Disabled"))

    assert isinstance(await service.registries.close(ACR), Done)

    assert service.writes == []


@pytest.mark.parametrize("sku", ["Basic", "Standard", ""])
async def test_a_registry_below_premium_is_refused_before_anything_is_written(sku: str) -> None:
    service = Service(document(sku=sku))

    with pytest.raises(UnsupportedSku, match="az acr update --name acr1 --sku Premium"):
        await service.registries.close(ACR)

    assert service.writes == []


async def test_a_patch_that_takes_a_while_gives_its_operation_url() -> None:
    accepted = Reply(201, document(state="Updating"), {"Azure-AsyncOperation": OPERATION})

    result = await Service(document(), accepted).registries.close(ACR)

    assert result == Started(url=OPERATION)


async def test_closing_a_registry_that_is_gone_is_a_reason_to_look_again() -> None:
    rig = Rig()
    gone = rig.dns_group.resource("Microsoft.ContainerRegistry/registries", "gone")

    with pytest.raises(ChangedUnderneath, match="not there any more"):
        await rig.plane.start(closing(gone))


async def test_a_registry_without_other_regions_waits_for_none() -> None:
    rig = Rig()
    acr = rig.parts(rig.registry())[-1]

    assert await rig.plane.pending_replications(acr) == ()


async def test_replications_that_are_not_finished_are_named_by_region() -> None:
    def answer(_sent: Sent) -> Reply:
        states = {"westeurope": "Succeeded", "northeurope": "Creating", "uksouth": "Failed"}
        rows = [{"location": name, "properties": {"provisioningState": state}} for name, state in states.items()]
        return Reply(200, {"value": rows})

    registries = ContainerRegistries(arm_client(AnsweringTransport(answer)))

    assert await registries.pending_replications(ACR) == ("northeurope", "uksouth")


async def test_a_container_registry_of_the_world_is_closed_and_keeps_its_rule_set() -> None:
    rig = Rig()
    acr = rig.parts(rig.registry())[-1]
    before = await rig.plane.read_container_registry(acr)

    told = await rig.finished(closing(acr))

    after = await rig.plane.read_container_registry(acr)
    assert told.state is ProgressState.SUCCEEDED
    assert before
    assert after
    assert after.access is Access.CLOSED
    assert after.network_settings["networkRuleSet"] == before.network_settings["networkRuleSet"]


async def test_the_zones_of_a_container_registry_are_never_asked_for() -> None:
    rig = Rig()
    acr = await rig.plane.read_container_registry(rig.parts(rig.registry())[-1])
    assert acr
    before = len(rig.azure.log)

    assert await rig.plane.required_zones(acr) == {}
    assert len(rig.azure.log) == before


async def test_progress_of_a_slow_patch_is_told_by_the_registry_itself() -> None:
    rig = Rig()
    acr = rig.parts(rig.registry())[-1]
    operation = Operation(change=closing(acr), started=rig.moment, due=rig.moment, url="")
    body = rig.properties(acr)

    body["provisioningState"] = "Updating"
    assert (await rig.progress(operation)).state is ProgressState.RUNNING

    body |= {"provisioningState": "Succeeded", "publicNetworkAccess": "Disabled"}
    told = await rig.plane.progress([operation])
    assert told[key_of(operation.change)].state is ProgressState.SUCCEEDED
