"""Storage accounts: read without loss, closed by the smallest possible write."""

from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.options import Options
from shared.cloud.storage_accounts import StorageAccounts, target_of
from shared.core.arm import ResourceId
from shared.core.changes import ClosePublicAccess
from shared.core.errors import ChangedUnderneath, DeniedByAssignment
from shared.core.registry import Access, ConnectionStatus, TargetKind
from shared.core.report import Done
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.rig import Rig

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
ACCOUNT = ResourceId.parse(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/store1"
)
RULES = {
    "bypass": "AzureServices",
    "defaultAction": "Deny",
    "ipRules": [],
    "ipv6Rules": [{"value": "2001:db8::/64", "action": "Allow"}],
    "resourceAccessRules": [{"tenantId": "t", "resourceId": "/subscriptions/x/resourcegroups/*"}],
    "futureRules": [{"anything": None}],
}


def closing(account: ResourceId) -> ClosePublicAccess:
    return ClosePublicAccess(target=account, target_kind=TargetKind.STORAGE)


def document(**properties: Any) -> dict[str, Any]:
    return {
        "id": ACCOUNT.text,
        "location": "westeurope",
        "sku": {"name": "Standard_LRS"},
        "properties": {"provisioningState": "Succeeded", **properties},
    }


@pytest.mark.parametrize(
    ("value", "access"),
    [
        (None, Access.OPEN),
        ("Enabled", Access.OPEN),
        ("Disabled", Access.CLOSED),
        ("SecuredByPerimeter", Access.CLOSED),
    ],
)
def test_an_account_is_open_unless_it_says_otherwise(value: object, access: Access) -> None:
    assert target_of(document(publicNetworkAccess=value), ACCOUNT).access is access


async def test_the_snapshot_holds_the_rules_with_members_that_the_sdk_does_not_know() -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200, document(networkAcls=RULES, publicNetworkAccess="Enabled")))

    target = await StorageAccounts(arm_client(transport)).read(ACCOUNT)

    assert target is not None
    assert target.network_settings == {"publicNetworkAccess": "Enabled", "networkAcls": RULES}
    assert (target.provisioning, target.sku) == ("Succeeded", "Standard_LRS")


def test_a_setting_that_was_never_made_is_not_in_the_snapshot() -> None:
    assert target_of(document(), ACCOUNT).network_settings == {}


def test_connections_are_read_with_their_status() -> None:
    endpoint = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/privateEndpoints/pe"
    state = {"status": "Approved", "actionRequired": "None"}
    listed = [{"properties": {"privateEndpoint": {"id": endpoint}, "privateLinkServiceConnectionState": state}}]

    target = target_of(document(privateEndpointConnections=listed), ACCOUNT)

    assert target.connections[0].endpoint == ResourceId.parse(endpoint)
    assert target.connections[0].status is ConnectionStatus.APPROVED


async def test_an_account_that_does_not_exist_is_none() -> None:
    rig = Rig()

    assert (
        await rig.plane.read_storage_account(rig.dns_group.resource("Microsoft.Storage/storageAccounts", "no")) is None
    )


async def test_closing_sends_one_member_in_one_patch() -> None:
    transport = AnsweringTransport(lambda _sent: Reply(200, document(publicNetworkAccess="Disabled")))

    assert isinstance(await StorageAccounts(arm_client(transport)).close(ACCOUNT), Done)

    assert [(sent.method, sent.body) for sent in transport.sent] == [
        ("PATCH", {"properties": {"publicNetworkAccess": "Disabled"}})
    ]


async def test_closing_leaves_the_rules_as_they_are() -> None:
    rig = Rig()
    account = scenery.create_storage_account(
        rig.azure, "store1", networkAcls={"defaultAction": "Deny", "bypass": "None"}
    )
    identifier = ResourceId.parse(account.id)
    before = await rig.plane.read_storage_account(identifier)

    assert isinstance(await rig.plane.start(closing(identifier)), Done)

    after = await rig.plane.read_storage_account(identifier)
    assert before
    assert after
    assert after.access is Access.CLOSED
    assert after.network_settings["networkAcls"] == before.network_settings["networkAcls"]


async def test_closing_an_account_that_is_gone_is_a_reason_to_look_again() -> None:
    rig = Rig()
    gone = rig.dns_group.resource("Microsoft.Storage/storageAccounts", "gone")

    with pytest.raises(ChangedUnderneath):
        await rig.plane.start(closing(gone))


async def test_a_deny_assignment_is_named_with_the_way_around_it() -> None:
    rig = Rig(options=Options(deny_managed_groups=True))
    account = rig.parts(rig.registry())[0]

    with pytest.raises(DeniedByAssignment, match="assignedIdentities"):
        await rig.plane.start(closing(account))


async def test_the_zones_of_every_group_are_listed() -> None:
    rig = Rig()
    target = await rig.plane.read_storage_account(rig.parts(rig.registry())[0])
    assert target

    zones = await rig.plane.required_zones(target)

    assert zones["blob"] == ("privatelink.blob.core.windows.net",)
    assert zones["dfs"] == ("privatelink.dfs.core.windows.net",)


async def test_the_zones_of_an_account_that_is_gone_are_an_error() -> None:
    def answer(_sent: Sent) -> Reply:
        return Reply(404, {"error": {"code": "ResourceNotFound", "message": "gone"}})

    with pytest.raises(ChangedUnderneath):
        await StorageAccounts(arm_client(AnsweringTransport(answer))).link_resources(ACCOUNT)
