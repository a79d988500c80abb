"""
Microsoft.MachineLearningServices/workspaces, as far as sharing with registries needs them.

As recorded (aso2512): PUT, PATCH and DELETE answer 202 without a body; unlike a registry, a workspace has a
provisioningState. Two recorded quirks are kept: the key vault's id comes back with another casing, and a sku is always
Basic. ASSUMED: the host names of its private endpoints (documentation's pattern).
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.private_link import LinkGroup, LinkMember, PrivateLinkTarget
from local.simulator.providers import link_connections
from local.simulator.providers import machine_learning_links as links
from local.simulator.providers.machine_learning_operations import WORKSPACE
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

TYPE = "Microsoft.MachineLearningServices/workspaces"
GROUP_ID = "amlworkspace"
_TOKEN_LENGTH = 43
_PASSED_THROUGH = (
    "friendlyName",
    "description",
    "storageAccount",
    "containerRegistry",
    "applicationInsights",
    "hbiWorkspace",
    "imageBuildCompute",
    "allowPublicAccessWhenBehindVnet",
    "publicNetworkAccess",
    "managedNetwork",
    "v1LegacyMode",
    "serverlessComputeSettings",
    "ipAllowlist",
)


def put(azure: Kernel, call: Call) -> Response:
    body = call.body or {}
    known = azure.world.get(call.resource_id)
    if known is not None:
        return _begin_change(azure, call, known)
    if not body.get("location"):
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    made = new_workspace(azure, call.resource_id, body, creator=call.principal.name)
    operation = azure.begin(
        call,
        WORKSPACE,
        location=made["location"],
        seconds=azure.durations.workspace_create,
        finish=lambda _at: _put(azure, made),
        result=lambda: Response.of(200, shown(azure, azure.require(call.resource_id))),
        operation_id=azure.world.token(_TOKEN_LENGTH),
    )
    return Response.empty(202, operation.headers)


def _put(azure: Kernel, made: JsonObject) -> None:
    azure.world.put(made)


def patch(azure: Kernel, call: Call) -> Response:
    return _begin_change(azure, call, azure.require(call.resource_id))


def _begin_change(azure: Kernel, call: Call, workspace: Resource) -> Response:
    body = deepcopy(call.body or {})

    def finish() -> None:
        found = azure.world.get(workspace.id)
        if found is not None:
            _apply(found.body, body)
            azure.world.touch(found)

    operation = azure.begin(
        call,
        WORKSPACE,
        location=workspace.location,
        seconds=azure.durations.workspace_update,
        finish=lambda _at: finish(),
        result=lambda: Response.of(200, shown(azure, azure.require(workspace.id))),
        operation_id=azure.world.token(_TOKEN_LENGTH),
    )
    return Response.empty(202, operation.headers)


def get(azure: Kernel, call: Call) -> Response:
    return Response.of(200, shown(azure, azure.require(call.resource_id)))


def delete(azure: Kernel, call: Call) -> Response:
    workspace = azure.world.get(call.resource_id)
    if workspace is None:
        return Response(204)
    operation = azure.begin(
        call,
        WORKSPACE,
        location=workspace.location,
        seconds=azure.durations.workspace_delete,
        finish=lambda _at: _remove(azure, workspace.id),
        result=lambda: Response.empty(200),
        operation_id=azure.world.token(_TOKEN_LENGTH),
    )
    return Response.empty(202, operation.headers)


def _remove(azure: Kernel, workspace_id: str) -> None:
    azure.world.delete(workspace_id)


def list_in_group(azure: Kernel, call: Call) -> Response:
    return page(call, azure.endpoint, (shown(azure, each) for each in azure.world.children(call.resource_id, TYPE)))


def list_in_subscription(azure: Kernel, call: Call) -> Response:
    return page(call, azure.endpoint, (shown(azure, each) for each in azure.world.of_type(TYPE, call.subscription)))


def shown(azure: Kernel, workspace: Resource) -> JsonObject:
    """The workspace with the number of its private links; the list of connections only when there are some."""
    connections = link_connections.all_of(azure.world, workspace)
    properties = {**workspace.properties, "privateLinkCount": len(connections)}
    if connections:
        properties["privateEndpointConnections"] = [_summary(each) for each in connections]
    return {**workspace.body, "properties": properties}


def _summary(connection: Resource) -> JsonObject:
    return {
        "id": connection.id,
        "name": connection.name,
        "type": f"{TYPE}/privateEndpointConnections",
        "location": connection.location,
        "properties": connection.properties,
    }


# -- the body ----------------------------------------------------------------------------------------------------------


def new_workspace(azure: Kernel, workspace_id: str, body: Mapping[str, Any], *, creator: str) -> JsonObject:
    """A finished workspace (members as recorded with 2024-04-01)."""
    location = str(body["location"]).replace(" ", "").lower()
    name = workspace_id.rsplit("/", 1)[-1]
    host = f"{location}.{azure.cloud.machine_learning_suffix}"
    internal = links.internal_id(workspace_id)
    now = f"{azure.world.now:%Y-%m-%dT%H:%M:%SZ}"
    person = {"By": creator, "ByType": "Application", "At": now}
    notebook = f"ml-{name[:16]}-{location}-{internal}.{location}.{azure.cloud.notebooks_suffix}"
    made: JsonObject = {
        "id": workspace_id,
        "name": name,
        "type": TYPE,
        "location": location,
        "tags": {},
        "etag": None,
        "properties": {
            "friendlyName": "",
            "description": "",
            "storageAccount": None,
            "keyVault": None,
            "applicationInsights": None,
            "hbiWorkspace": False,
            "tenantId": azure.tenant_id,
            "imageBuildCompute": None,
            "provisioningState": "Succeeded",
            "managedNetwork": {
                "changeableIsolationModes": ["AllowInternetOutbound", "AllowOnlyApprovedOutbound"],
                "isolationMode": "Disabled",
            },
            "allowRoleAssignmentOnRG": True,
            "v1LegacyMode": False,
            "softDeleteEnabled": False,
            "creationTime": now,
            "notebookInfo": {
                "resourceId": internal.replace("-", ""),
                "fqdn": notebook,
                "isPrivateLinkEnabled": False,
                "notebookPreparationError": None,
            },
            "storageHnsEnabled": False,
            "workspaceId": internal,
            "linkedModelInventoryArmId": None,
            "privateLinkCount": 0,
            "publicNetworkAccess": "Enabled",
            "ipAllowlist": [],
            "discoveryUrl": f"https://{host}/discovery",
            "mlFlowTrackingUri": f"azureml://{host}/mlflow/v1.0{workspace_id}",
            "serverlessComputeSettings": None,
            "EnableSoftwareBillOfMaterials": False,
            "sdkTelemetryAppInsightsKey": azure.world.guid(),
            "sasGetterUri": "",
            "enableDataIsolation": False,
        },
        "identity": {
            "type": "SystemAssigned",
            "principalId": azure.world.guid(),
            "tenantId": azure.tenant_id,
        },
        "kind": str(body.get("kind") or "Default"),
        "sku": {"name": "Basic", "tier": "Basic"},
        "systemData": {
            f"{verb}{name}": value for verb in ("created", "lastModified") for name, value in person.items()
        },
    }
    _apply(made, body)
    return made


def _apply(workspace: JsonObject, asked: Mapping[str, Any]) -> None:
    if asked.get("tags") is not None:
        workspace["tags"] = dict(asked["tags"])
    wanted: Mapping[str, Any] = asked.get("properties") or {}
    properties = workspace["properties"]
    properties |= {name: deepcopy(wanted[name]) for name in _PASSED_THROUGH if wanted.get(name) is not None}
    if wanted.get("keyVault"):
        properties["keyVault"] = str(wanted["keyVault"]).replace("Microsoft.KeyVault", "Microsoft.Keyvault")


# -- private link ------------------------------------------------------------------------------------------------------


def link_groups(azure: Kernel, workspace: Resource) -> Sequence[LinkGroup]:
    """Group `amlworkspace`; api, certificate, notebook and inference names in two zones."""
    cloud = azure.cloud
    internal, region = workspace.properties["workspaceId"], workspace.location
    names = (
        f"{internal}.workspace.{region}.{cloud.machine_learning_suffix}",
        f"{internal}.workspace.{region}.cert.{cloud.machine_learning_suffix}",
        f"*.{internal}.inference.{region}.{cloud.machine_learning_suffix}",
        workspace.properties["notebookInfo"]["fqdn"],
    )
    zones = (f"privatelink.{cloud.machine_learning_suffix}", f"privatelink.{cloud.notebooks_suffix}")
    return [LinkGroup(name=GROUP_ID, members=(LinkMember(name="default", fqdns=names),), zones=zones)]


def list_link_resources(azure: Kernel, call: Call) -> Response:
    workspace = azure.require(call.resource_id)
    return Response.of(200, {"value": link_connections.link_resources(workspace, link_groups(azure, workspace))})


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/workspaces"
_ITEM = _GROUP + "/{workspace}"
_CONNECTIONS = _ITEM + "/privateEndpointConnections"

ROUTES = (
    Route("PUT", _ITEM, put),
    Route("PATCH", _ITEM, patch),
    Route("GET", _ITEM, get),
    Route("DELETE", _ITEM, delete),
    Route("GET", _GROUP, list_in_group),
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.MachineLearningServices/workspaces", list_in_subscription),
    Route("GET", _ITEM + "/privateLinkResources", list_link_resources),
    Route("GET", _CONNECTIONS, links.list_connections),
    Route("GET", _CONNECTIONS + "/{connection}", links.get_connection),
    Route("PUT", _CONNECTIONS + "/{connection}", links.put_connection),
    Route("DELETE", _CONNECTIONS + "/{connection}", links.delete_connection),
)


def install(azure: Kernel) -> None:
    azure.link_targets[TYPE.lower()] = PrivateLinkTarget(
        type=TYPE,
        approval_action=f"{TYPE}/privateEndpointConnectionsApproval/action",
        groups=link_groups,
        connect=links.connect,
        disconnect=link_connections.disconnect,
    )
