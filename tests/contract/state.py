"""Values for the state contracts, and the names under which each test keeps its state apart from the others."""

import itertools
from datetime import timedelta
from uuid import uuid4

from shared.core.arm import ResourceId
from shared.core.audit import Effect
from shared.core.changes import ClosePublicAccess, CreateEndpoint, PutZoneGroup
from shared.core.outcomes import OutcomeKind, Told, make_event
from shared.core.registry import TargetKind
from shared.core.report import (
    Condition,
    ConditionStatus,
    ConditionType,
    Finding,
    Reason,
    Report,
    Severity,
    Waiting,
)
from shared.engine.records import Claim, HistoryEntry, LedgerRow, Operation
from tests.virtual_time import EPOCH

SUBSCRIPTION = "0f6b2d4e-77aa-4c1b-9a53-2f3d0c8e1a55"
NETWORKING = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/networking/providers/Microsoft"

_numbers = itertools.count(1)


def a_registry(name: str = "contoso-models") -> ResourceId:
    """A registry that no other test uses: its group is fresh."""
    group = f"ml-{next(_numbers)}-{uuid4().hex[:8]}"
    return ResourceId.parse(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/"
        f"Microsoft.MachineLearningServices/registries/{name}"
    )


def a_row(registry: ResourceId, generation: int = 1) -> LedgerRow:
    return LedgerRow(registry=registry, generation=generation, first_seen=EPOCH, requested=EPOCH)


def a_full_row(registry: ResourceId) -> LedgerRow:
    """A row in which every member holds something."""
    subnet = ResourceId.parse(f"{NETWORKING}.Network/virtualNetworks/hub/subnets/endpoints")
    endpoint = ResourceId.parse(f"{NETWORKING}.Network/privateEndpoints/pe-contoso-models-registry-1a2b3c4d")
    zone = ResourceId.parse(f"{NETWORKING}.Network/privateDnsZones/privatelink.api.azureml.ms")
    create = CreateEndpoint(
        endpoint=endpoint, location="westeurope", subnet=subnet, target=registry, group="amlregistry", tags={"é": "ü\n"}
    )
    attach = PutZoneGroup(endpoint=endpoint, name="default", zones={"api": zone}, depends_on=("a",))
    close = ClosePublicAccess(target=registry, target_kind=TargetKind.REGISTRY, depends_on=("b", "c"))
    return LedgerRow(
        registry=registry,
        generation=7,
        sequence=4,
        first_seen=EPOCH,
        requested=EPOCH + timedelta(hours=1),
        reason="event",
        origin="event-1 ☃",
        caller="somebody",
        operations=(
            Operation(
                change=create,
                started=EPOCH,
                due=EPOCH,
                url="https://management.azure.com/op?t=1&s=a%2Fb",
                checks=2,
                tries=3,
            ),
        ),
        pending=(attach, close),
        claim=Claim(holder="pass-1", until=EPOCH + timedelta(seconds=60)),
        failures=3,
        refused={"create-zone:x": Reason(name="Locked", sentence="A lock.", resource="x")},
        repairs={endpoint.key: 1},
        denied_since={"create-zone:x": EPOCH + timedelta(microseconds=1)},
        missing_since=EPOCH,
        closed_since=EPOCH + timedelta(hours=1),
        zones={"amlregistry": ("privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"), "blob": ()},
        observed=True,
        snapshots={registry.key: {"publicNetworkAccess": "Enabled", "networkAcls": {"ipRules": [1, None, True, 2.5]}}},
        effects={"create-zone:x": Effect(digest="d1", before={"exists": False}, after={"exists": True})},
        told=Told(kind=OutcomeKind.DRIFTED, reasons=("Paused",), phase="paused", number=2),
        outbox=(
            make_event(
                Told(kind=OutcomeKind.ISOLATED, phase="converged"),
                OutcomeKind.DRIFTED,
                registry=registry,
                first_seen=EPOCH,
                at=EPOCH,
                generation=7,
                phase="paused",
                reasons=(Reason(name="Paused", sentence="Ü rests."),),
                changes=("close",),
                findings=1,
                digest="d1",
            ),
        ),
        outcome=Waiting(until=EPOCH + timedelta(seconds=5), reasons=(Reason(name="Busy", sentence="Wait."),)),
        report=Report(
            registry=registry,
            at=EPOCH,
            phase="waiting",
            digest="d1",
            conditions=(Condition(type=ConditionType.DISCOVERED, status=ConditionStatus.TRUE),),
            findings=(Finding(code="acr-builds", severity=Severity.INFO, sentence="No builds.", resource=registry),),
            changes=("create private endpoint",),
        ),
    )


def an_entry(registry: ResourceId | None, subject: str, *, after: timedelta = timedelta()) -> HistoryEntry:
    return HistoryEntry(
        at=EPOCH + after,
        registry=registry,
        kind="change" if registry else "rejected",
        subject=subject,
        sentence=f"Something happened: {subject}.",
        origin="event-1",
        before={"publicNetworkAccess": "Enabled"},
        after={"publicNetworkAccess": "Disabled", "tags": {"'; --": ["\u2028", "é"]}},
        duration_seconds=1.25,
    )
