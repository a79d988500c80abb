"""
Common worlds, built in a line: what tests and the demo need around the thing they are about.

`standard_world` speaks to the simulated Resource Manager like any client. The other functions put finished resources in
place, as if their creation lay in the past; `put_registry` is the one that starts a creation.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.simulator.azure import SimulatedAzure
from local.simulator.event_grid_events import Schema
from local.simulator.event_grid_subscriptions import CHILD_TYPE, SYSTEM_TOPIC_TYPE, TOPIC_TYPE, WEBHOOK
from local.simulator.providers import machine_learning, storage_bodies
from local.simulator.providers.container_registry_bodies import TYPE as CONTAINER_REGISTRY
from local.simulator.providers.machine_learning_bodies import TYPE as REGISTRY
from local.simulator.providers.workspaces import TYPE as WORKSPACE
from local.simulator.rbac import OWNER
from local.simulator.wire import JsonObject, Request, Response
from local.simulator.world import Resource

REGISTRY_API = "2025-06-01"
NETWORK_API = "2024-05-01"
GROUP_API = "2021-04-01"
LOCATION = "westeurope"


class SceneryError(RuntimeError):
    """The simulated Azure refused to build the scenery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Ids of what `standard_world` built."""

    subscription: str
    registries_group: str
    network_group: str
    dns_group: str
    virtual_network: str
    subnet: str


def standard_world(
    azure: SimulatedAzure,
    *,
    location: str = LOCATION,
    address_space: str = "10.0.0.0/16",
    subnet_prefix: str = "10.0.1.0/24",
    subscription: str = "",
) -> Scene:
    """
    A hub network with one subnet, and groups for registries, network and zones.

    Virtual time advances by what the creations take.
    """
    sub = f"/subscriptions/{subscription or next(iter(azure.subscriptions.values()))}"
    groups = {name: f"{sub}/resourceGroups/{name}" for name in ("rg-ml", "rg-network", "rg-dns")}
    for group in groups.values():
        send(azure, "PUT", group, {"location": location, "tags": {}}, api_version=GROUP_API)
    network = f"{groups['rg-network']}/providers/Microsoft.Network/virtualNetworks/hub"
    properties = {
        "addressSpace": {"addressPrefixes": [address_space]},
        "subnets": [{"name": "endpoints", "properties": {"addressPrefix": subnet_prefix}}],
    }
    send(azure, "PUT", network, {"location": location, "properties": properties}, api_version=NETWORK_API)
    rest(azure)
    return Scene(
        subscription=sub,
        registries_group=groups["rg-ml"],
        network_group=groups["rg-network"],
        dns_group=groups["rg-dns"],
        virtual_network=network,
        subnet=f"{network}/subnets/endpoints",
    )


def registry_body(regions: Sequence[str] = (LOCATION,), *, public_access: str = "Enabled", **more: Any) -> JsonObject:
    """What a user sends to create a registry in *regions*, the first being the primary one."""
    details = [
        {
            "location": region,
            "storageAccountDetails": [{"systemCreatedStorageAccount": {"storageAccountType": "Standard_LRS"}}],
            "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
        }
        for region in regions
    ]
    return {
        "location": regions[0],
        "identity": {"type": "SystemAssigned"},
        "tags": {},
        "properties": {"publicNetworkAccess": public_access, "regionDetails": details, **more},
    }


def registry_id(group: str, name: str) -> str:
    return f"{group}/providers/{REGISTRY}/{name}"


def create_registry(
    azure: SimulatedAzure,
    name: str,
    regions: Sequence[str] = (LOCATION,),
    now: datetime | None = None,
    *,
    group: str = "",
    public_access: str = "Enabled",
    **properties: Any,
) -> Resource:
    """A finished registry with its managed group; *now* is the moment of its completion."""
    if now is not None:
        azure.advance(now)
    scope = group or _group(azure, "rg-ml", regions[0])
    body = registry_body(regions, public_access=public_access, **properties)
    return machine_learning.make(azure, registry_id(scope, name), body)


def put_registry(
    azure: SimulatedAzure,
    name: str,
    regions: Sequence[str] = (LOCATION,),
    now: datetime | None = None,
    *,
    group: str = "",
    public_access: str = "Enabled",
    **properties: Any,
) -> Response:
    """Start the creation of a registry the way a user does; the 202 with its operation URLs."""
    if now is not None:
        azure.advance(now)
    scope = group or _group(azure, "rg-ml", regions[0])
    body = registry_body(regions, public_access=public_access, **properties)
    return send(azure, "PUT", registry_id(scope, name), body, api_version=REGISTRY_API)


def create_storage_account(
    azure: SimulatedAzure, name: str, *, group: str = "", location: str = LOCATION, **properties: Any
) -> Resource:
    """A finished storage account, open unless *properties* say otherwise."""
    scope = group or _group(azure, "rg-ml", location)
    request = {"location": location, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": properties}
    return azure.world.put(
        storage_bodies.new_account(
            f"{scope}/providers/{storage_bodies.TYPE}/{name}",
            request,
            suffix=azure.cloud.storage_suffix,
            now=azure.world.now,
        )
    )


def create_workspace(
    azure: SimulatedAzure, name: str, storage_account: str, *, group: str = "", location: str = LOCATION
) -> Resource:
    """A finished workspace on an existing storage account."""
    scope = group or _group(azure, "rg-ml", location)
    workspace = f"{scope}/providers/{WORKSPACE}/{name}"
    body = {"location": location, "properties": {"storageAccount": storage_account}}
    send(azure, "PUT", workspace, body, api_version="2024-04-01")
    azure.advance(azure.world.now + timedelta(seconds=azure.durations.workspace_create))
    found = azure.world.get(workspace)
    if found is None:
        raise SceneryError(f"the workspace {workspace} was not created")
    return found


def subscribe(
    azure: SimulatedAzure,
    url: str,
    *,
    name: str = "registries",
    schema: Schema = Schema.EVENT_GRID,
    notifications: bool = False,
    subscription: str = "",
    filters: Mapping[str, Any] | None = None,
) -> Resource:
    """A system topic of the subscription and an event subscription that has already proved its webhook."""
    sub = f"/subscriptions/{subscription or next(iter(azure.subscriptions.values()))}"
    kind = "Microsoft.ResourceNotifications.Resources" if notifications else "Microsoft.Resources.Subscriptions"
    topic_name = "notifications" if notifications else "management"
    topic = f"{_group(azure, 'rg-events', LOCATION)}/providers/{SYSTEM_TOPIC_TYPE}/{topic_name}"
    if azure.world.get(topic) is None:
        source = {"provisioningState": "Succeeded", "source": sub, "topicType": kind}
        azure.world.put({"id": topic, "location": "global", "tags": None, "properties": source})
    properties: JsonObject = {
        "topic": topic,
        "provisioningState": "Succeeded",
        "destination": {"endpointType": WEBHOOK, "properties": {"endpointBaseUrl": url.split("?", 1)[0]}},
        "filter": dict(filters or {}),
        "eventDeliverySchema": schema.value,
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
    }
    body = {"id": f"{topic}/{CHILD_TYPE.rsplit('/', 1)[-1]}/{name}", "type": CHILD_TYPE, "properties": properties}
    return azure.world.put(body, private={"endpointUrl": url})


def create_topic(azure: SimulatedAzure, name: str, *, location: str = LOCATION) -> Resource:
    """A custom topic that takes CloudEvents, from identities only."""
    topic = f"{_group(azure, 'rg-events', location)}/providers/{TOPIC_TYPE}/{name}"
    properties = {"inputSchema": Schema.CLOUD_EVENTS.value, "disableLocalAuth": True}
    send(azure, "PUT", topic, {"location": location, "properties": properties}, api_version="2025-02-15")
    return azure.require(topic)


def parts_of(azure: SimulatedAzure, registry: Resource) -> list[Resource]:
    """The registry's storage accounts, primary region first, and its container registry last."""
    group = str(registry.properties["managedResourceGroup"]["resourceId"])
    return [
        *azure.world.children(group, storage_bodies.TYPE),
        *azure.world.children(group, CONTAINER_REGISTRY),
    ]


def send(
    azure: SimulatedAzure,
    method: str,
    path: str,
    body: JsonObject | None = None,
    *,
    api_version: str,
    principal: str = OWNER,
) -> Response:
    """
    One call at the world's present moment.

    Raises:
        SceneryError: It was refused.
    """
    content = b"" if body is None else json.dumps(body).encode()
    url = f"{azure.endpoint}{path}?api-version={api_version}"
    answer = azure.handle(Request(method, url, azure.headers(principal), content), azure.world.now)
    if answer.status >= 400:
        raise SceneryError(f"{method} {path} was answered {answer.status}: {answer.body.decode()}")
    return answer


def rest(azure: SimulatedAzure) -> None:
    """Let virtual time pass until nothing is under way any more."""
    while (due := azure.next_due()) is not None:
        azure.advance(due)


def _group(azure: SimulatedAzure, name: str, location: str) -> str:
    """A resource group of the first subscription, made when it is missing."""
    group = f"/subscriptions/{next(iter(azure.subscriptions.values()))}/resourceGroups/{name}"
    if azure.world.get(group) is None:
        send(azure, "PUT", group, {"location": location, "tags": {}}, api_version=GROUP_API)
    return group


__all__ = [
    "Scene",
    "SceneryError",
    "create_registry",
    "create_storage_account",
    "create_topic",
    "create_workspace",
    "parts_of",
    "put_registry",
    "registry_body",
    "registry_id",
    "rest",
    "send",
    "standard_world",
    "subscribe",
]
