"""Invented recordings for the tests of the likeness tool: small, and in the format that it reads."""

import json
from typing import Any

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-recorded"
JSON_TYPE = "application/json; charset=utf-8"
LIMITS = {"x-ms-ratelimit-remaining-subscription-global-writes": "199"}


def exchange(**changes: Any) -> dict[str, Any]:
    """One exchange; by default the creation of a resource group."""
    shown = {
        "id": GROUP,
        "name": "rg-recorded",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }
    return {
        "id": 1,
        "snapshot": "aso2512",
        "source_file": "invented.yaml",
        "index": 0,
        "kind": "recorded",
        "op": "resource_group",
        "method": "PUT",
        "host": "management.azure.com",
        "path": f"{GROUP}?api-version=2022-09-01",
        "request_headers": {},
        "request_body": {"location": "westeurope", "tags": {}},
        "status": 201,
        "response_headers": {"Content-Type": JSON_TYPE, **LIMITS},
        "response_body": shown,
        "timestamp": "2025-03-04T05:06:07Z",
    } | changes


def lines(*exchanges: dict[str, Any]) -> list[str]:
    """The exchanges as JSON lines, numbered in order unless they say otherwise."""
    return [json.dumps({**each, "index": each["index"] or place}) for place, each in enumerate(exchanges)]


def read_group(**changes: Any) -> dict[str, Any]:
    return exchange(method="GET", request_body=None, status=200, response_headers={"Content-Type": JSON_TYPE}) | changes


def missing_group(**changes: Any) -> dict[str, Any]:
    error = {"error": {"code": "ResourceGroupNotFound", "message": "Resource group 'rg-recorded' could not be found."}}
    headers = {"Content-Type": JSON_TYPE, "x-ms-failure-cause": "gateway"}
    return read_group(status=404, response_headers=headers, response_body=error) | changes


def network(name: str, **properties: Any) -> dict[str, Any]:
    """The body of a virtual network as it was recorded."""
    identity = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"
    shown = {
        "provisioningState": "Succeeded",
        "resourceGuid": "0a0a0a0a-1b1b-4c2c-8d3d-4e4e4e4e4e4e",
        "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
        "subnets": [],
        "virtualNetworkPeerings": [],
        "enableDdosProtection": False,
    }
    return {
        "name": name,
        "id": identity,
        "etag": 'W/"0a0a0a0a-1b1b-4c2c-8d3d-000000000000"',
        "type": "Microsoft.Network/virtualNetworks",
        "location": "westeurope",
        "properties": shown | properties,
    }


def read_network(name: str = "spoke", **changes: Any) -> dict[str, Any]:
    body = network(name)
    return (
        exchange(
            op="vnet",
            method="GET",
            path=f"{body['id']}?api-version=2022-01-01",
            request_body=None,
            status=200,
            response_headers={"Content-Type": JSON_TYPE, "ETag": body["etag"]},
            response_body=body,
        )
        | changes
    )


def poll(state: str, **changes: Any) -> dict[str, Any]:
    """A poll of a Microsoft.Network operation whose start is not in the recording."""
    place = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/locations/westeurope/operations"
    return (
        exchange(
            op="network_lro",
            method="GET",
            path=f"{place}/aaaabbbb-cccc-4ddd-8eee-ffff00001111?api-version=2022-01-01&t=T&c=C&s=S&h=H",
            request_body=None,
            status=200,
            snapshot="azcli2411",
            response_headers={"content-type": JSON_TYPE},
            response_body={"status": state},
        )
        | changes
    )
