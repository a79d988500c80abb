"""Private endpoints: creation, approval, addresses, refusals, repair, deletion."""

import pytest

from local.simulator import likeness_foreign
from local.simulator.faults import Fault, FaultKind
from local.simulator.options import Options
from tests.local.simulator.scene import Scene


def test_an_endpoint_is_approved_at_once_and_shows_names_when_it_is_done() -> None:
    scene = Scene()
    first = scene.endpoint()
    properties = first.json()["properties"]
    assert (first.status, properties["provisioningState"], properties["customDnsConfigs"]) == (201, "Updating", [])
    assert scene.connection_now() == {"status": "Approved", "description": "Auto Approved", "actionsRequired": "None"}
    assert properties["networkInterfaces"][0]["id"].rpartition("/")[2].startswith("pe.nic.")
    assert (first.header("Retry-After"), first.header("Location"), first.header("ETag")) == ("10", "", "")
    scene.rest()
    done = scene.endpoint_now()["properties"]
    assert done["provisioningState"] == "Succeeded"
    assert done["customDnsConfigs"] == [{"fqdn": "contoso.blob.core.windows.net", "ipAddresses": ["10.0.1.4"]}]


def test_the_target_knows_its_connection_when_the_endpoint_is_done() -> None:
    scene = Scene()
    scene.endpoint()
    before = scene.get(scene.account, version="2023-05-01").json()["properties"]
    assert before.get("privateEndpointConnections", []) == []
    scene.rest()
    (connection,) = scene.get(scene.account, version="2023-05-01").json()["properties"]["privateEndpointConnections"]
    assert connection["properties"]["privateEndpoint"]["id"] == f"{scene.network}/privateEndpoints/pe"


def test_the_interface_holds_an_address_per_member() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    nic = scene.get(scene.endpoint_now()["properties"]["networkInterfaces"][0]["id"]).json()
    (configuration,) = nic["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"] == "10.0.1.4"
    assert configuration["properties"]["privateLinkConnectionProperties"] == {
        "groupId": "blob",
        "requiredMemberName": "blob",
        "fqdns": ["contoso.blob.core.windows.net"],
    }
    subnet = scene.get(scene.subnet).json()["properties"]
    assert subnet["privateEndpoints"] == [{"id": f"{scene.network}/privateEndpoints/pe"}]
    assert subnet["ipConfigurations"] == [{"id": configuration["id"]}]


def test_a_manual_connection_waits_for_approval_on_the_target() -> None:
    scene = Scene()
    assert scene.endpoint(manual=True).status == 201
    scene.rest()
    assert scene.connection_now()["status"] == "Pending"
    assert scene.endpoint_now()["properties"]["customDnsConfigs"] == []
    (connection,) = scene.get(scene.account, version="2023-05-01").json()["properties"]["privateEndpointConnections"]
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Approved", "description": "welcome"}}}
    assert scene.put(connection["id"], body, version="2023-05-01").status == 200
    assert scene.connection_now() == {"status": "Approved", "description": "welcome", "actionsRequired": "None"}
    assert scene.endpoint_now()["properties"]["customDnsConfigs"] != []


def test_a_rejection_on_the_target_shows_on_the_endpoint_and_a_put_does_not_heal_it() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    (connection,) = scene.get(scene.account, version="2023-05-01").json()["properties"]["privateEndpointConnections"]
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}
    assert scene.put(connection["id"], body, version="2023-05-01").status == 200
    scene.endpoint()
    scene.rest()
    assert scene.connection_now()["status"] == "Rejected"


def test_an_endpoint_of_a_deleted_target_is_disconnected() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    assert scene.delete(scene.account, version="2023-05-01").status == 200
    assert scene.connection_now()["status"] == "Disconnected"
    scene.storage("contoso")
    scene.rest()
    assert scene.connection_now()["status"] == "Disconnected"


def test_without_the_right_to_approve_the_put_is_refused_and_not_pending() -> None:
    scene = Scene()
    actions = ["Microsoft.Network/*", "Microsoft.Storage/storageAccounts/read"]
    scene.azure.rbac.principal("app", actions=actions)
    scene.principal = "app"
    refused = scene.endpoint()
    assert scene.error(refused) == (403, "LinkedAuthorizationFailed")
    message = refused.json()["error"]["message"]
    assert "privateEndpointConnectionsApproval/action" in message.replace("PrivateEndpoint", "privateEndpoint")
    assert scene.account in message
    assert scene.endpoint(manual=True).status == 201


def test_without_the_right_to_join_the_subnet_the_put_is_refused() -> None:
    scene = Scene()
    actions = ["Microsoft.Network/privateEndpoints/*", "Microsoft.Storage/*"]
    scene.azure.rbac.principal("app", actions=actions)
    scene.principal = "app"
    refused = scene.endpoint()
    assert scene.error(refused) == (403, "LinkedAuthorizationFailed")
    assert "'join/action'" in refused.json()["error"]["message"]


def test_a_full_subnet_refuses_and_leaves_nothing_behind() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    accounts = [scene.storage(f"account{number}") for number in range(3)]
    scene.rest()
    for number, account in enumerate(accounts):
        assert scene.endpoint(f"pe{number}", account).status == 201
    refused = scene.endpoint("pe3")
    assert scene.error(refused) == (400, "SubnetIsFull")
    assert "10.0.1.0/29" in refused.json()["error"]["message"]
    assert scene.get(f"{scene.network}/privateEndpoints/pe3").status == 404
    assert len(scene.get(f"{scene.network}/networkInterfaces").json()["value"]) == 3


def test_a_delegated_subnet_refuses_endpoints() -> None:
    delegation = {"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}
    scene = Scene(delegations=[delegation])
    refused = scene.endpoint()
    assert scene.error(refused) == (400, "PrivateEndpointCreationNotAllowedAsSubnetIsDelegated")
    assert "Microsoft.Web/serverFarms" in refused.json()["error"]["message"]


def test_a_subnet_that_is_being_written_is_not_ready() -> None:
    scene = Scene()
    scene.put(scene.subnet, {"properties": {"addressPrefix": "10.0.1.0/24", "defaultOutboundAccess": False}})
    refused = scene.endpoint()
    assert scene.error(refused) == (429, "RetryableError")
    assert refused.json()["error"]["details"][0]["code"] == "ReferencedResourceNotProvisioned"
    assert refused.header("Retry-After") == ""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subnet": {"id": "/subscriptions/s/resourceGroups/x/nothing/there"}}, "InvalidResourceReference"),
        ({"subnet": {}}, "InvalidRequestFormat"),
        ({"privateLinkServiceConnections": []}, "InvalidRequestFormat"),
    ],
)
def test_an_incomplete_request_is_refused(change: dict[str, object], code: str) -> None:
    scene = Scene()
    body = scene.endpoint_body()
    body["properties"] |= change
    assert scene.error(scene.put(f"{scene.network}/privateEndpoints/pe", body)) == (400, code)


def test_a_target_that_is_not_there_is_refused() -> None:
    scene = Scene()
    refused = scene.endpoint(target=f"{scene.account}x")
    assert scene.error(refused) == (400, "InvalidPrivateLinkServiceId")


def test_an_unknown_group_id_is_refused_with_the_valid_ones() -> None:
    scene = Scene()
    body = scene.endpoint_body()
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["blobs"]
    refused = scene.put(f"{scene.network}/privateEndpoints/pe", body)
    assert refused.status == 400
    assert "'blob" in refused.json()["error"]["message"]


def test_an_endpoint_lives_in_the_region_of_its_network() -> None:
    scene = Scene()
    body = scene.endpoint_body() | {"location": "eastus"}
    answer = scene.put(f"{scene.network}/privateEndpoints/pe", body)
    assert scene.error(answer) == (400, "InvalidResourceReference")


def test_the_targets_provider_must_be_registered_where_the_endpoint_is_made() -> None:
    scene = Scene()
    subscription = scene.rg.split("/")[2]
    scene.azure.unregistered.add((subscription, "microsoft.storage"))
    refused = scene.endpoint()
    assert scene.error(refused) == (409, "MissingSubscriptionRegistration")
    assert "Microsoft.Storage" in refused.json()["error"]["message"]


def test_writing_an_endpoint_again_answers_200_and_ends_at_once() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    again = scene.put(f"{scene.network}/privateEndpoints/pe", scene.endpoint_body() | {"tags": {"a": "b"}})
    assert (again.status, again.json()["properties"]["provisioningState"]) == (200, "Succeeded")
    assert (again.json()["tags"], again.header("Retry-After")) == ({"a": "b"}, "")
    assert scene.get(again.header("Azure-AsyncOperation")).json()["status"] == "Succeeded"


def test_an_endpoint_cannot_be_moved_to_another_target() -> None:
    scene = Scene()
    other = scene.storage("fabrikam")
    scene.endpoint()
    scene.rest()
    assert scene.error(scene.endpoint(target=other)) == (400, "PrivateEndpointUpdateNotAllowed")


def test_a_failed_endpoint_is_repaired_by_the_same_put() -> None:
    scene = Scene()
    scene.azure.faults.add(
        Fault(
            kind=FaultKind.FAIL_OPERATION,
            method="PUT",
            path="privateEndpoints/pe$",
            status=409,
            code="StorageAccountOperationInProgress",
            message="An operation is currently performing on this storage account that requires exclusive access.",
        )
    )
    first = scene.endpoint()
    scene.rest()
    told = scene.get(first.header("Azure-AsyncOperation"))
    assert (told.status, told.json()["status"]) == (200, "Failed")
    assert told.json()["error"]["code"] == "StorageAccountOperationInProgress"
    assert scene.endpoint_now()["properties"]["provisioningState"] == "Failed"
    assert scene.endpoint().json()["properties"]["provisioningState"] == "Updating"
    scene.rest()
    assert scene.endpoint_now()["properties"]["customDnsConfigs"] != []


def test_a_target_that_vanishes_meanwhile_fails_the_operation() -> None:
    scene = Scene()
    first = scene.endpoint()
    scene.azure.world.delete(scene.account)
    scene.rest()
    assert scene.get(first.header("Azure-AsyncOperation")).json()["error"]["code"] == "InvalidPrivateLinkServiceId"
    assert scene.endpoint_now()["properties"]["provisioningState"] == "Failed"


def test_deleting_an_endpoint_frees_its_address_and_leaves_the_target() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    answer = scene.delete(f"{scene.network}/privateEndpoints/pe")
    assert (answer.status, scene.endpoint_now()["properties"]["provisioningState"]) == (202, "Deleting")
    busy = scene.endpoint()
    assert scene.error(busy) == (429, "RetryableError")
    scene.rest()
    assert scene.get(answer.header("Location")).status == 204
    assert scene.get(f"{scene.network}/networkInterfaces").json()["value"] == []
    properties = scene.get(scene.account, version="2023-05-01").json()["properties"]
    assert properties.get("privateEndpointConnections", []) == []
    assert scene.endpoint("next").status == 201
    assert scene.delete(f"{scene.network}/privateEndpoints/pe").status == 204


def test_endpoints_are_created_side_by_side_unless_contention_is_simulated() -> None:
    calm = Scene()
    assert [calm.endpoint("a").status, calm.endpoint("b").status] == [201, 201]
    scene = Scene(Options(network_contention=True))
    scene.endpoint("a")
    busy = scene.endpoint("b")
    assert scene.error(busy) == (429, "RetryableError")
    assert busy.json()["error"]["details"][0]["code"] == "RetryableErrorDueToAnotherOperation"
    assert int(busy.header("Retry-After")) > 0
    scene.rest()
    assert scene.endpoint("b").status == 201


def test_a_static_address_is_given_when_it_is_free() -> None:
    scene = Scene()
    wanted = {"name": "c", "properties": {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.0.1.77"}}
    scene.endpoint(ipConfigurations=[wanted], customNetworkInterfaceName="nic-of-pe")
    scene.rest()
    assert scene.endpoint_now()["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.0.1.77"]
    assert scene.get(f"{scene.network}/networkInterfaces/nic-of-pe").status == 200
    taken = scene.endpoint("other", ipConfigurations=[wanted])
    assert scene.error(taken) == (400, "PrivateIPAddressIsAllocated")
    wanted["properties"] = {"groupId": "blob", "memberName": "blob", "privateIPAddress": "10.9.9.9"}
    assert scene.error(scene.endpoint("other", ipConfigurations=[wanted])) == (400, "PrivateIPAddressNotInSubnet")


def test_a_deleted_group_takes_endpoints_interfaces_and_addresses_along() -> None:
    scene = Scene()
    elsewhere = scene.group("rg-pe")
    scene.put(f"{elsewhere}/providers/Microsoft.Network/privateEndpoints/pe", scene.endpoint_body())
    scene.rest()
    scene.delete(elsewhere)
    scene.rest()
    assert "ipConfigurations" not in scene.get(scene.subnet).json()["properties"]
    properties = scene.get(scene.account, version="2023-05-01").json()["properties"]
    assert properties.get("privateEndpointConnections", []) == []


def test_a_connection_needs_a_name_and_a_target() -> None:
    scene = Scene()
    for lacking in ("name", "properties"):
        body = scene.endpoint_body()
        del body["properties"]["privateLinkServiceConnections"][0][lacking]
        answer = scene.put(f"{scene.network}/privateEndpoints/pe", body)
        assert scene.error(answer) == (400, "InvalidRequestFormat")


def test_an_address_for_a_member_that_the_target_does_not_have_is_not_used() -> None:
    scene = Scene()
    properties = {"groupId": "blob", "memberName": "other", "privateIPAddress": "10.0.1.99"}
    assert scene.endpoint(ipConfigurations=[{"name": "one", "properties": properties}]).status == 201
    scene.rest()
    assert scene.endpoint_now()["properties"]["customDnsConfigs"][0]["ipAddresses"] == ["10.0.1.4"]


def test_a_decision_on_one_target_leaves_the_connection_to_another_alone() -> None:
    scene = Scene()
    other = scene.storage("fabrikam")
    scene.rest()
    body = scene.endpoint_body()
    second = {"name": "second", "properties": {"privateLinkServiceId": other, "groupIds": ["blob"]}}
    body["properties"]["privateLinkServiceConnections"].append(second)
    assert scene.put(f"{scene.network}/privateEndpoints/pe", body).status == 201
    scene.rest()
    scene.azure.links.state_changed(other, f"{scene.network}/privateEndpoints/pe", "Rejected", "no")
    shown = scene.endpoint_now()["properties"]["privateLinkServiceConnections"]
    states = [each["properties"]["privateLinkServiceConnectionState"]["status"] for each in shown]
    assert states == ["Approved", "Rejected"]


def test_a_member_that_its_target_loses_gives_its_address_back() -> None:
    scene = Scene()
    version = "2023-11-01-preview"
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}}, version=version)
    scene.put(f"{registry}/replications/northeurope", {"location": "northeurope"}, version=version)
    scene.rest()
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    scene.put(f"{scene.network}/privateEndpoints/pe", body)
    scene.rest()
    usage = f"{scene.vnet}/usages"
    assert scene.get(usage).json()["value"][0]["currentValue"] == 3.0
    scene.delete(f"{registry}/replications/northeurope", version=version)
    scene.rest()
    assert scene.get(usage).json()["value"][0]["currentValue"] == 2.0
    names = [each["fqdn"] for each in scene.endpoint_now()["properties"]["customDnsConfigs"]]
    assert names == ["contosoacr.westeurope.data.azurecr.io", "contosoacr.azurecr.io"]


def test_a_private_link_service_of_somebody_elses_needs_no_group() -> None:
    scene = Scene()
    service = f"{scene.network}/privateLinkServices/pls"
    likeness_foreign.place(scene.azure, service, "westeurope", ("default",))
    body = scene.endpoint_body(service)
    del body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"]
    assert scene.put(f"{scene.network}/privateEndpoints/pe", body).status == 201
    scene.rest()
    (shown,) = scene.endpoint_now()["properties"]["privateLinkServiceConnections"]
    assert "groupIds" not in shown["properties"]
    assert scene.endpoint_now()["properties"]["customDnsConfigs"] == []


def test_an_endpoint_whose_target_is_gone_says_so_and_can_be_deleted() -> None:
    scene = Scene()
    scene.endpoint()
    scene.rest()
    assert scene.delete(scene.account, version="2023-05-01").status == 200
    assert scene.connection_now()["status"] == "Disconnected"
    assert scene.delete(f"{scene.network}/privateEndpoints/pe").status == 202
    scene.rest()
    assert scene.get(f"{scene.network}/privateEndpoints/pe").status == 404


def test_when_a_later_member_asks_for_a_taken_address_the_earlier_ones_are_given_back() -> None:
    scene = Scene()
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}}, version="2023-11-01-preview")
    scene.endpoint("first")
    scene.rest()
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    taken = {"groupId": "registry", "memberName": "registry", "privateIPAddress": "10.0.1.4"}
    body["properties"]["ipConfigurations"] = [{"name": "one", "properties": taken}]
    answer = scene.put(f"{scene.network}/privateEndpoints/pe", body)
    assert scene.error(answer) == (400, "PrivateIPAddressIsAllocated")
    assert scene.get(f"{scene.vnet}/usages").json()["value"][0]["currentValue"] == 1.0


def test_a_member_that_finds_no_address_undoes_the_replication_that_brought_it() -> None:
    scene = Scene(prefix="10.0.1.0/29")
    version = "2023-11-01-preview"
    registry = f"{scene.rg}/providers/Microsoft.ContainerRegistry/registries/contosoacr"
    scene.put(registry, {"location": "westeurope", "sku": {"name": "Premium"}}, version=version)
    body = scene.endpoint_body(registry)
    body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"] = ["registry"]
    scene.put(f"{scene.network}/privateEndpoints/pe", body)
    scene.rest()
    scene.endpoint("other")
    scene.rest()
    started = scene.put(f"{registry}/replications/northeurope", {"location": "northeurope"}, version=version)
    scene.rest()
    told = scene.get(started.header("Azure-AsyncOperation")).json()
    assert (told["status"], told["error"]["code"]) == ("Failed", "PrivateEndpointIpAllocationFailed")
    assert scene.get(f"{registry}/replications/northeurope", version=version).status == 404
    assert len(scene.endpoint_now()["properties"]["customDnsConfigs"]) == 2
