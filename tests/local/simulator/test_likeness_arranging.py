"""What a recorded exchange presumes is arranged through the simulated Azure, and only where the recording says so."""

from typing import Any

from local.simulator.likeness import measure
from local.simulator.likeness_report import Report
from tests.local.simulator.recordings import GROUP, JSON_TYPE, LIMITS, exchange, lines, network, read_network

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/recorded"
GATEWAY = {"Content-Type": JSON_TYPE, "x-ms-failure-cause": "gateway"}


def told(report: Report) -> list[tuple[str, str, str, str]]:
    return [
        (each.aspect, each.what, each.recorded, each.simulated)
        for outcome in report.outcomes
        for each in outcome.differences
    ]


def subnet(state: str, **changes: Any) -> dict[str, Any]:
    """An accepted PUT on a subnet that was there before."""
    properties = {
        "provisioningState": state,
        "addressPrefix": "10.9.1.0/24",
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    }
    path = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/spoke/subnets/one"
    shown = {
        "name": "one",
        "id": path,
        "etag": 'W/"1"',
        "properties": properties,
        "type": "Microsoft.Network/virtualNetworks/subnets",
    }
    operation = (
        f"{GROUP.rpartition('/resourceGroups')[0]}/providers/Microsoft.Network/locations/westeurope/operations/1"
    )
    return (
        exchange(
            op="subnet",
            snapshot="azcli2411",
            path=f"{path}?api-version=2021-08-01",
            request_body={"properties": {"addressPrefix": "10.9.1.0/24"}},
            status=200,
            response_headers={
                "content-type": JSON_TYPE,
                "azure-asyncoperation": f"https://management.azure.com{operation}?api-version=2021-08-01",
                **LIMITS,
            },
            response_body=shown,
        )
        | changes
    )


def failure(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def test_a_subnet_that_a_put_did_not_change_was_like_that_before() -> None:
    assert told(measure(lines(subnet("Succeeded")))) == []


def test_a_subnet_that_a_put_changed_was_different_before() -> None:
    assert told(measure(lines(subnet("Updating")))) == []


def test_a_write_on_a_busy_network_meets_an_operation_under_way() -> None:
    network_id = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/spoke"
    message = (
        f"Operation PutSubnetOperation (x) is updating resource {network_id}. The call can be retried in 11 seconds."
    )
    detail = {"code": "RetryableErrorDueToAnotherOperation", "message": message}
    error = {"error": {"code": "RetryableError", "message": "A retryable error occurred.", "details": [detail]}}
    busy = subnet("", status=429, response_headers={"content-type": JSON_TYPE, **LIMITS}, response_body=error)

    assert told(measure(lines(busy))) == []


def test_a_missing_parent_is_missing() -> None:
    message = "The Resource 'Microsoft.Network/virtualNetworks/spoke' under resource group 'rg-recorded' was not found."
    gone = subnet(
        "",
        method="DELETE",
        request_body=None,
        status=404,
        response_headers=GATEWAY,
        response_body=failure("ResourceNotFound", message),
    )

    assert told(measure(lines(gone))) == []


def test_a_locked_group_is_locked() -> None:
    message = (
        f"The scope '{GROUP}' cannot perform delete operation because following scope(s) are locked: '{ACCOUNT}'. "
        "Please remove the lock and try again."
    )
    refused = exchange(
        method="DELETE",
        request_body=None,
        status=409,
        response_headers=GATEWAY,
        response_body=failure("ScopeLocked", message),
    )

    assert told(measure(lines(refused))) == []


def test_a_caller_without_a_token_has_none() -> None:
    refused = exchange(
        op="subscription",
        method="GET",
        path=f"{GROUP.partition('/resourceGroups')[0]}?api-version=2022-12-01",
        request_body=None,
        status=401,
        response_headers={**GATEWAY, "WWW-Authenticate": "Bearer"},
        response_body=failure("AuthenticationFailed", "Authentication failed."),
    )

    assert told(measure(lines(refused))) == []


def test_an_edited_api_version_is_read_off_the_operation_url() -> None:
    body = network("spoke", provisioningState="Updating")
    operation = (
        f"{GROUP.rpartition('/resourceGroups')[0]}/providers/Microsoft.Network/locations/westeurope/operations/1"
    )
    edited = exchange(
        op="vnet",
        snapshot="azcli2411",
        path=f"{body['id']}?api-version=2024-03-01",
        request_body={"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}},
        response_headers={
            "content-type": JSON_TYPE,
            "azure-asyncoperation": f"https://management.azure.com{operation}?api-version=2022-01-01",
            **LIMITS,
        },
        response_body=body,
    )

    assert told(measure(lines(edited))) == []


def test_a_change_that_the_sample_leaves_out_is_repeated() -> None:
    changed = network("spoke", dhcpOptions={"dnsServers": ["10.9.0.4"]})
    later = read_network(index=7, response_body=changed)

    assert told(measure(lines(read_network(index=1), later))) == []


def test_a_change_that_nothing_explains_is_a_difference() -> None:
    changed = network("spoke", dhcpOptions={"dnsServers": ["10.9.0.4"]})
    next_one = read_network(index=2, response_body=changed)

    found = told(measure(lines(read_network(index=1), next_one)))

    assert ("keys", "properties.dhcpOptions", "present", "") in found


def test_a_generated_name_of_the_recording_stands_for_the_simulated_one() -> None:
    endpoint = f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe-recorded"
    name = "recorded.0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
    connection = {
        "id": f"{ACCOUNT}/privateEndpointConnections/{name}",
        "name": name,
        "type": "Microsoft.Storage/storageAccounts/privateEndpointConnections",
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": endpoint},
            "privateLinkServiceConnectionState": {
                "status": "Pending",
                "description": "please",
                "actionRequired": "None",
            },
        },
    }
    read = exchange(
        op="storage_pec",
        method="GET",
        path=f"{connection['id']}?api-version=2023-05-01",
        request_body=None,
        status=200,
        response_headers={"Content-Type": "application/json"},
        response_body=connection,
    )

    assert told(measure(lines(read))) == []


def test_the_subscriptions_that_a_query_is_about_exist() -> None:
    headers = {
        "x-ms-user-quota-remaining": "14",
        "x-ms-user-quota-resets-after": "00:00:05",
        "x-ms-ratelimit-remaining-tenant-resource-requests": "14",
    }
    query = exchange(
        op="resource_graph",
        method="POST",
        path="/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
        request_body={"query": "Resources | project id", "subscriptions": ["6d3f0000-0000-4000-8000-000000000001"]},
        status=200,
        response_headers={"content-type": JSON_TYPE, **headers},
        response_body={"totalRecords": 0, "count": 0, "data": [], "facets": [], "resultTruncated": "false"},
    )
    assert measure(lines(query)).of(["resource_graph"]).percent == 100.0
