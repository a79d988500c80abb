"""
A world as a JSON document, to start from and to look at.

    {"subscriptions": [...], "principals": [{"id", "name", "applicationId", "assignments": [{"scope", "actions",
     "notActions", "dataActions"}]}], "denyAssignments": [...], "unregistered": [[subscription, namespace]],
     "complete": false, "resources": [{"id", "location", "properties", ...}]}

Resources are given as the service shows them. Unless the document is complete, as a dump is, their name, type, state and
entity tag and what `providers.filling` knows may be left out. Groups that resources need are made when they are absent.
Addresses of network interfaces are taken from their subnets: an endpoint that exists at the start keeps its addresses.
"""

import json
from copy import deepcopy
from typing import Any, cast

from local.simulator import arm_ids
from local.simulator.azure import SimulatedAzure
from local.simulator.providers import network
from local.simulator.providers.endpoint_connections import AUTOMATIC, ENDPOINTS, MANUAL
from local.simulator.providers.endpoint_interfaces import INTERFACES, configurations
from local.simulator.providers.endpoint_links import EndpointLinks
from local.simulator.providers.filling import fill
from local.simulator.providers.subnets import pool
from local.simulator.providers.zone_groups import GROUPS
from local.simulator.rbac import Assignment, DenyAssignment, Principal
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

_NETWORK = "microsoft.network/"
_STATELESS = ("microsoft.machinelearningservices/registries", "microsoft.network/privatednszones")
"""Types whose stored body has no provisioningState."""
_USUAL: dict[str, JsonObject] = {
    "microsoft.network/privateendpoints": {
        AUTOMATIC: [],
        MANUAL: [],
        "networkInterfaces": [],
        "customDnsConfigs": [],
    },
    "microsoft.network/privatednszones/virtualnetworklinks": {
        "provisioningState": "Succeeded",
        "registrationEnabled": False,
        "virtualNetworkLinkState": "Completed",
    },
    "microsoft.network/networksecuritygroups": {"securityRules": [], "defaultSecurityRules": []},
    "microsoft.network/virtualnetworks/subnets": {
        "delegations": [],
        "privateEndpointNetworkPolicies": "Disabled",
        "privateLinkServiceNetworkPolicies": "Enabled",
    },
}
"""Members that rules of the network rely on."""


class SeedError(ValueError):
    """The document cannot be a world; the message says where."""


def load(azure: SimulatedAzure, document: JsonObject) -> None:
    """
    Put everything of *document* into the world, beside what is there.

    Raises:
        SeedError: With the place and the reason.
    """
    for each in document.get("subscriptions", ()):
        azure.subscriptions[str(each).lower()] = str(each)
    for each in document.get("principals", ()):
        azure.rbac.add(_principal(each))
    for each in document.get("denyAssignments", ()):
        azure.rbac.deny(_denial(each))
    for subscription, namespace in document.get("unregistered", ()):
        azure.unregistered.add((str(subscription).lower(), str(namespace).lower()))
    loaded = [_load_resource(azure, each, f"resources[{at}]") for at, each in enumerate(document.get("resources", ()))]
    if not document.get("complete"):
        for resource in loaded:
            _complete(azure, resource)
    _settle(azure)


def _load_resource(azure: SimulatedAzure, given: JsonObject, place: str) -> Resource:
    body = json.loads(json.dumps(given))
    private = body.pop("private", None) or {}
    resource_id = body.get("id")
    if not isinstance(resource_id, str) or not resource_id.startswith("/subscriptions/"):
        raise SeedError(f"{place}: 'id' must be a resource id that begins with /subscriptions/, not {resource_id!r}")
    parts = arm_ids.parse(resource_id)
    azure.subscriptions.setdefault(parts.subscription.lower(), parts.subscription)
    if parts.type == "Microsoft.Resources/resourceGroups":
        body.setdefault("location", "westeurope")
    elif parts.resource_group:
        _make_group(azure, parts, str(body.get("location", "westeurope")))
    properties = body.setdefault("properties", {})
    if not isinstance(properties, dict):
        raise SeedError(f"{place}: 'properties' must be an object")
    subnets = properties.pop("subnets", []) if parts.type == network.NETWORKS else []
    loaded = azure.world.put(body, private=private)
    for each in subnets:
        child = {"id": f"{resource_id}/subnets/{each['name']}"} | each
        _complete(azure, _load_resource(azure, child, f"{place}.subnets"))
    return loaded


def _complete(azure: SimulatedAzure, resource: Resource) -> None:
    """Give the resource what its creation would have given it."""
    kind = resource.type.lower()
    if kind.startswith(_NETWORK):
        resource.body.setdefault("etag", azure.world.etag())
    if not kind.startswith(_STATELESS):
        resource.properties.setdefault("provisioningState", "Succeeded")
    for member, usual in _USUAL.get(kind, {}).items():
        resource.properties.setdefault(member, deepcopy(usual))
    fill(azure, resource)


def _make_group(azure: SimulatedAzure, parts: arm_ids.IdParts, location: str) -> None:
    group_id = f"/subscriptions/{parts.subscription}/resourceGroups/{parts.resource_group}"
    if azure.world.get(group_id) is None:
        where = "westeurope" if location == "global" else location
        azure.world.put({"id": group_id, "location": where, "properties": {"provisioningState": "Succeeded"}})


def _settle(azure: SimulatedAzure) -> None:
    """What the providers keep beside the bodies: held addresses, watched targets, records' owners."""
    for nic in azure.world.of_type(INTERFACES):
        _hold_addresses(azure, nic)
    links = cast("EndpointLinks", azure.links)  # of a SimulatedAzure, which has all providers
    for endpoint in azure.world.of_type(ENDPOINTS):
        links.watch(endpoint)
    for group in azure.world.of_type(GROUPS):
        written = group.private.setdefault("written", {})
        for config in group.properties.get("privateDnsZoneConfigs", ()):
            zone = azure.world.get(config["properties"]["privateDnsZoneId"])
            if zone is not None:
                names = written.setdefault(zone.id, [])
                shown = [each["recordSetName"] for each in config["properties"].get("recordSets", ())]
                names.extend(each for each in shown if each not in names)


def _hold_addresses(azure: SimulatedAzure, nic: Resource) -> None:
    endpoint = (nic.properties.get("privateEndpoint") or {}).get("id")
    if endpoint:
        nic.private.setdefault("endpoint", endpoint)
    for each in configurations(nic):
        properties = each["properties"]
        subnet = azure.world.get(str((properties.get("subnet") or {}).get("id", "")))
        if subnet is None:
            continue
        nic.private.setdefault("subnet", subnet.id)
        if not pool(subnet).claim(str(properties["privateIPAddress"]), str(each["id"])):
            raise SeedError(f"{nic.id}: the address {properties['privateIPAddress']} is held twice in {subnet.id}")


def _principal(given: JsonObject) -> Principal:
    return Principal(
        id=str(given["id"]),
        name=str(given.get("name", given["id"])),
        application_id=str(given.get("applicationId", "")),
        assignments=[
            Assignment(
                scope=str(each.get("scope", "/")),
                actions=tuple(each.get("actions", ())),
                not_actions=tuple(each.get("notActions", ())),
                data_actions=tuple(each.get("dataActions", ())),
            )
            for each in given.get("assignments", ())
        ],
    )


def _denial(given: JsonObject) -> DenyAssignment:
    return DenyAssignment(
        id=str(given["id"]),
        name=str(given.get("name", "")),
        scope=str(given["scope"]),
        actions=tuple(given.get("actions", ())),
        not_actions=tuple(given.get("notActions", ())),
        exempt=tuple(given.get("exempt", ())),
    )


def dump(azure: SimulatedAzure) -> JsonObject:
    """The world as a document that `load` takes."""
    return {
        "subscriptions": list(azure.subscriptions.values()),
        "principals": [
            {
                "id": each.id,
                "name": each.name,
                "applicationId": each.application_id,
                "assignments": [
                    {
                        "scope": one.scope,
                        "actions": list(one.actions),
                        "notActions": list(one.not_actions),
                        "dataActions": list(one.data_actions),
                    }
                    for one in each.assignments
                ],
            }
            for each in azure.rbac.principals.values()
        ],
        "denyAssignments": [
            {
                "id": each.id,
                "name": each.name,
                "scope": each.scope,
                "actions": list(each.actions),
                "notActions": list(each.not_actions),
                "exempt": list(each.exempt),
            }
            for each in azure.rbac.all_denials()
        ],
        "unregistered": [list(each) for each in sorted(azure.unregistered)],
        "complete": True,
        "resources": [_dumped(each) for each in azure.world.resources.values()],
    }


def _dumped(resource: Resource) -> JsonObject:
    private = {key: value for key, value in resource.private.items() if _plain(value)}
    return {**resource.body, "private": private} if private else dict(resource.body)


def _plain(value: Any) -> bool:
    """Whether a private value survives as JSON; address pools and running operations are made anew instead."""
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except TypeError:
        return False
