"""Azure ML registries: what a GET means, and the full PUT that closes one."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.simulator import scenery
from local.simulator.faults import Fault, FaultKind
from shared.cloud.api_versions import ApiVersions, choose, keeps_group_settings, supported_versions
from shared.cloud.registries import Registries, closed_body, document_of
from shared.core.arm import ResourceId
from shared.core.changes import ClosePublicAccess
from shared.core.errors import ChangedUnderneath, NotReadyYet, ProviderNotRegistered, Refused, RegistryIsolationError
from shared.core.registry import Access, ConnectionStatus, TargetKind
from shared.core.report import Done
from shared.engine.ports import ProgressState
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.rig import Rig

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
REGISTRY = ResourceId.parse(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.MachineLearningServices/registries/contoso"
)
MANAGED = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/azureml-rg-contoso_0a1b2c3d-0000-4000-8000-000000000000"
ACR = f"{MANAGED}/providers/Microsoft.ContainerRegistry/registries/a1b2c3d4e5f"
ENDPOINT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe"


def account(name: str) -> str:
    return f"{MANAGED}/providers/Microsoft.Storage/storageAccounts/{name}"


def region(location: str, storage: str | None, acr: str | None = ACR) -> dict[str, Any]:
    """One region as the service shows it; None is what it shows while it is still creating."""
    return {
        "location": location,
        "storageAccountDetails": [
            {
                "userCreatedStorageAccount": None,
                "systemCreatedStorageAccount": {
                    "storageAccountType": "Standard_LRS",
                    "armResourceId": {"resourceId": account(storage)} if storage else None,
                },
            }
        ],
        "acrDetails": [
            {
                "userCreatedAcrAccount": None,
                "systemCreatedAcrAccount": {
                    "acrAccountSku": "Premium",
                    "armResourceId": {"resourceId": acr} if acr else None,
                },
            }
        ],
    }


def document(**properties: Any) -> dict[str, Any]:
    return {
        "id": REGISTRY.text,
        "name": "contoso",
        "type": "Microsoft.MachineLearningServices/registries",
        "location": "westeurope",
        "tags": {"team": "ml"},
        "systemData": None,
        "identity": {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"},
        "properties": {
            "publicNetworkAccess": "Enabled",
            "managedResourceGroup": {"resourceId": MANAGED},
            "managedResourceGroupSettings": None,
            "intellectualPropertyPublisher": None,
            "regionDetails": [region("westeurope", "store1"), region("northeurope", "store2")],
            **properties,
        },
    }


def connection(status: str, *, old: bool) -> dict[str, Any]:
    name = "privateLinkServiceConnectionState" if old else "registryPrivateLinkServiceConnectionState"
    return {"properties": {"privateEndpoint": {"id": ENDPOINT}, name: {"status": status}}}


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_finished_registry_names_its_parts_in_every_region() -> None:
    read = document_of(document(), REGISTRY)

    assert read.complete
    assert read.managed_group == ResourceId.parse(MANAGED)
    assert [entry.location for entry in read.regions] == ["westeurope", "northeurope"]
    assert [entry.storage_accounts for entry in read.regions] == [
        (ResourceId.parse(account("store1")),),
        (ResourceId.parse(account("store2")),),
    ]
    assert all(entry.container_registries == (ResourceId.parse(ACR),) for entry in read.regions)
    assert read.tags == {"team": "ml"}
    assert read.target.network_settings == {"publicNetworkAccess": "Enabled"}
    assert (read.target.kind, read.target.access) == (TargetKind.REGISTRY, Access.OPEN)


@pytest.mark.parametrize(
    "regions",
    [
        [],
        None,
        [region("westeurope", None)],
        [region("westeurope", "store1", None)],
        [region("westeurope", "store1"), region("northeurope", None)],
        [{"location": "westeurope", "storageAccountDetails": None, "acrDetails": None}],
        [{"location": "westeurope", "storageAccountDetails": [], "acrDetails": []}],
    ],
)
def test_a_registry_that_is_still_being_made_is_not_complete(regions: object) -> None:
    assert not document_of(document(regionDetails=regions), REGISTRY).complete


def test_parts_that_the_user_brought_count_as_well() -> None:
    details = region("westeurope", "store1")
    details["storageAccountDetails"].append(
        {
            "systemCreatedStorageAccount": None,
            "userCreatedStorageAccount": {"armResourceId": {"resourceId": account("own")}},
        }
    )

    read = document_of(document(regionDetails=[details]), REGISTRY)

    assert [identifier.name for identifier in read.regions[0].storage_accounts] == ["store1", "own"]
    assert read.complete


@pytest.mark.parametrize(
    ("value", "access"),
    [
        ("Enabled", Access.OPEN),
        ("enabled", Access.OPEN),
        ("Disabled", Access.CLOSED),
        ("disabled", Access.CLOSED),
        (None, Access.OPEN),
        (True, Access.OPEN),
    ],
)
def test_public_access_is_read_in_any_casing(value: object, access: Access) -> None:
    assert document_of(document(publicNetworkAccess=value), REGISTRY).target.access is access


@pytest.mark.parametrize(
    ("listed", "old"), [("privateEndpointConnections", True), ("registryPrivateEndpointConnections", False)]
)
def test_connections_are_read_in_both_spellings(listed: str, old: bool) -> None:  # noqa: FBT001
    properties = {listed: [connection("Approved", old=old), connection("pending", old=old), connection("New", old=old)]}

    target = document_of(document(**properties), REGISTRY).target

    assert [entry.status for entry in target.connections] == [
        ConnectionStatus.APPROVED,
        ConnectionStatus.PENDING,
        ConnectionStatus.UNKNOWN,
    ]
    assert {entry.endpoint for entry in target.connections} == {ResourceId.parse(ENDPOINT)}


def test_a_connection_whose_endpoint_the_service_hides_has_none() -> None:
    hidden = {"properties": {"privateEndpoint": None, "privateLinkServiceConnectionState": {"status": "Approved"}}}

    target = document_of(document(privateEndpointConnections=[hidden]), REGISTRY).target

    assert target.connections[0].endpoint is None


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_a_document_of_any_shape_can_be_read(data: st.DataObject) -> None:
    spoiled = copy.deepcopy(document())
    place: Any = spoiled
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(JUNK)
            break
        place = place[key]

    read = document_of(spoiled, REGISTRY)

    assert read.target.kind is TargetKind.REGISTRY


# --- closing ----------------------------------------------------------------------------------------------------------


def test_the_put_repeats_everything_but_nulls_and_the_one_member() -> None:
    before = document(privateEndpointConnections=[connection("Approved", old=True)], futureMember={"kept": [1, None]})
    unchanged = copy.deepcopy(before)

    body = closed_body(before)

    assert before == unchanged
    assert body["properties"].pop("publicNetworkAccess") == "Disabled"
    expected = copy.deepcopy(before)
    del expected["systemData"]
    for name in ("publicNetworkAccess", "managedResourceGroupSettings", "intellectualPropertyPublisher"):
        del expected["properties"][name]
    for entry in expected["properties"]["regionDetails"]:
        del entry["storageAccountDetails"][0]["userCreatedStorageAccount"]
        del entry["acrDetails"][0]["userCreatedAcrAccount"]
    assert body == expected


def test_a_user_assigned_identity_survives_even_without_a_value() -> None:
    before = document()
    before["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/a": None, "/b": {"clientId": "c"}}}

    assert closed_body(before)["identity"]["userAssignedIdentities"] == {"/a": {}, "/b": {"clientId": "c"}}


async def test_closing_reads_freshly_and_starts_one_put() -> None:
    rig = Rig()
    registry = rig.registry()
    settings = {"assignedIdentities": [{"principalId": "5b1d9f0e-0000-4000-8000-000000000000"}]}
    registry.properties["managedResourceGroupSettings"] = settings
    change = ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY)
    before = len(rig.azure.log)

    told = await rig.finished(change)

    assert told.state is ProgressState.SUCCEEDED
    assert rig.calls("write", before) == [f"PUT {registry.id}"]
    assert registry.properties["publicNetworkAccess"] == "Disabled"
    assert registry.properties["managedResourceGroupSettings"] == settings
    assert all(call.startswith("GET") for call in rig.calls("poll", before))


async def test_a_closed_registry_is_not_written_again() -> None:
    rig = Rig()
    registry = scenery.create_registry(rig.azure, "contoso", public_access="Disabled")
    before = len(rig.azure.log)

    result = await rig.plane.start(
        ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY)
    )

    assert isinstance(result, Done)
    assert len(rig.azure.log) == before + 1


async def test_a_registry_that_does_not_show_all_its_regions_yet_is_not_written() -> None:
    rig = Rig()
    answer = scenery.put_registry(rig.azure, "contoso")
    assert answer.status == 202
    rig.pass_time(15)
    registry = ResourceId.parse(scenery.registry_id(rig.scene.registries_group, "contoso"))
    before = len(rig.azure.log)

    with pytest.raises(NotReadyYet, match="does not show the storage and container registry of every region"):
        await rig.plane.start(ClosePublicAccess(target=registry, target_kind=TargetKind.REGISTRY))

    assert rig.calls("write", before) == []


async def test_closing_a_registry_that_is_gone_is_a_reason_to_look_again() -> None:
    rig = Rig()
    gone = ResourceId.parse(scenery.registry_id(rig.scene.registries_group, "gone"))

    with pytest.raises(ChangedUnderneath):
        await rig.plane.start(ClosePublicAccess(target=gone, target_kind=TargetKind.REGISTRY))


async def test_a_failed_put_is_told_with_azures_reason() -> None:
    rig = Rig()
    registry = rig.registry()
    rig.azure.faults.add(
        Fault(kind=FaultKind.FAIL_OPERATION, method="PUT", path="registries/contoso$", code="InternalServerError")
    )

    told = await rig.finished(ClosePublicAccess(target=ResourceId.parse(registry.id), target_kind=TargetKind.REGISTRY))

    assert told.state is ProgressState.FAILED
    assert isinstance(told.error, RegistryIsolationError)
    assert "contoso" in told.error.sentence


# --- api-versions -----------------------------------------------------------------------------------------------------

MESSAGE = (
    "No registered resource provider found for location 'chinaeast2' and API version '2025-06-01' for type "
    "'registries'. The supported api-versions are '2022-10-01-preview, 2023-04-01, 2024-01-01-preview, 2024-10-01'. "
    "The supported locations are 'chinaeast2, chinanorth3'."
)


def test_the_supported_versions_are_read_from_arms_refusal() -> None:
    assert supported_versions(MESSAGE) == ("2024-10-01", "2024-01-01-preview", "2023-04-01", "2022-10-01-preview")
    assert supported_versions("The api-version '2025-06-01' is invalid.") == ()


@pytest.mark.parametrize(
    ("supported", "keeping", "chosen"),
    [
        (["2024-10-01", "2025-04-01", "2026-01-15-preview", "2026-03-01"], False, "2025-04-01"),
        (["2023-04-01", "2024-10-01", "2024-01-01-preview"], False, "2024-10-01"),
        (["2023-04-01", "2024-10-01", "2024-01-01-preview"], True, "2024-01-01-preview"),
        (["2024-10-01", "2025-04-01", "2024-01-01-preview"], True, "2025-04-01"),
        (["2024-10-01", "2025-12-01"], True, "2025-12-01"),
        (["2023-04-01", "2024-10-01"], True, "2024-10-01"),
        (["2022-10-01-preview"], False, "2022-10-01-preview"),
        (["2026-03-01"], False, "2026-03-01"),
        (["2025-06-01"], False, None),
        ([], False, None),
    ],
)
def test_the_choice_of_another_version(supported: list[str], keeping: bool, chosen: str | None) -> None:  # noqa: FBT001
    assert choose(supported, "2025-06-01", keeping=keeping) == chosen


def test_only_versions_that_know_the_groups_settings_keep_them() -> None:
    kept = ["2024-01-01-preview", "2025-04-01", "2025-06-01", "2026-09-01"]
    lost = ["2023-04-01", "2024-04-01", "2024-07-01-preview", "2024-10-01"]

    assert all(keeps_group_settings(version) for version in kept)
    assert not any(keeps_group_settings(version) for version in lost)


def test_writes_do_not_use_a_version_that_loses_settings_although_reads_do() -> None:
    versions = ApiVersions("2024-10-01")

    assert (versions.reading, versions.writing) == ("2024-10-01", "2025-06-01")


class OldCloud:
    """A cloud that serves only some versions."""

    def __init__(self, *served: str) -> None:
        self.served = served
        self.document = document()
        self.transport = AnsweringTransport(self.answer)
        self.registries = Registries(arm_client(self.transport), "2025-06-01")

    def answer(self, sent: Sent) -> Reply:
        version = sent.query["api-version"]
        if version not in self.served:
            listed = ", ".join(self.served)
            message = f"API version '{version}' is not there. The supported api-versions are '{listed}'. Sorry."
            return Reply(400, {"error": {"code": "NoRegisteredProviderFound", "message": message}})
        if sent.path.endswith("privateLinkResources"):
            return Reply(200, {"value": []})
        return Reply(200, self.document) if sent.method == "GET" else Reply(202, None, {"Location": sent.url})

    @property
    def versions(self) -> list[str]:
        return [f"{sent.method} {sent.query['api-version']}" for sent in self.transport.sent]


async def test_a_version_that_is_not_deployed_is_replaced_once_and_for_all() -> None:
    cloud = OldCloud("2023-04-01", "2024-10-01")

    assert await cloud.registries.read(REGISTRY) is not None
    assert await cloud.registries.read(REGISTRY) is not None
    assert await cloud.registries.link_resources(REGISTRY) == {}

    assert cloud.versions == ["GET 2025-06-01", "GET 2024-10-01", "GET 2024-10-01", "GET 2024-10-01"]


async def test_a_write_takes_the_version_that_keeps_the_groups_settings() -> None:
    cloud = OldCloud("2024-01-01-preview", "2024-10-01")

    await cloud.registries.close(REGISTRY)

    assert cloud.versions == ["GET 2025-06-01", "GET 2024-01-01-preview", "PUT 2024-01-01-preview"]


async def test_a_missing_resource_type_is_not_a_missing_registry() -> None:
    body = {"error": {"code": "InvalidResourceType", "message": "The resource type could not be found."}}
    registries = Registries(arm_client(AnsweringTransport(lambda _sent: Reply(404, body))), "2025-06-01")

    with pytest.raises(Refused):
        await registries.read(REGISTRY)


async def test_a_refusal_without_alternatives_is_told_after_one_request() -> None:
    cloud = OldCloud()

    with pytest.raises((ProviderNotRegistered, Refused)):
        await cloud.registries.read(REGISTRY)

    assert len(cloud.transport.sent) == 1
