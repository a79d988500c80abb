"""Resource Manager itself: subscriptions, tenants, resource groups, lists of resources, provider registration."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime

from local.simulator import arm_ids, errors, odata
from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.operations import OperationStyle, constant
from local.simulator.paging import page
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

_REGION_NAMES = """
    centralus eastasia southeastasia eastus eastus2 westus westus2 westus3 northcentralus southcentralus
    westcentralus northeurope westeurope japaneast japanwest brazilsouth australiasoutheast australiaeast
    australiacentral southindia centralindia westindia canadacentral canadaeast uksouth ukwest koreacentral
    koreasouth francecentral southafricanorth uaenorth switzerlandnorth germanywestcentral norwayeast
    swedencentral italynorth polandcentral spaincentral israelcentral qatarcentral mexicocentral
    centraluseuap eastus2euap
    usgovarizona usgovvirginia usgovtexas chinaeast2 chinanorth2 chinaeast3 chinanorth3
"""
REGIONS = tuple(_REGION_NAMES.split())
"""Names that a location may have; the three clouds together."""

NAMESPACES = {
    "Microsoft.Authorization": "2022-04-01",
    "Microsoft.ContainerRegistry": "2025-04-01",
    "Microsoft.EventGrid": "2025-02-15",
    "Microsoft.MachineLearningServices": "2025-06-01",
    "Microsoft.ManagedIdentity": "2024-11-30",
    "Microsoft.Network": "2024-05-01",
    "Microsoft.ResourceGraph": "2024-04-01",
    "Microsoft.Resources": "2024-11-01",
    "Microsoft.Storage": "2025-01-01",
}
"""Known namespaces, each with the api-version that generic clients are told to use for its resources."""

_PRIVATE_DNS_VERSION = "2024-06-01"

GROUP_DELETE = OperationStyle(
    result_path="/subscriptions/{subscription}/operationresults/{id}",
    first_retry_after=15,
    retry_after=constant(15),
    result_done_status=200,
    renew_result_url=True,
)
"""Deletion of a group: Location only, another one at every poll (recorded: aso2512)."""


def region(name: str) -> str:
    """A region in the form in which the service returns it: "West Europe" is westeurope."""
    return name.replace(" ", "").lower()


# -- subscriptions and tenants ---------------------------------------------------------------------------------------


def _subscription(azure: Kernel, subscription: str) -> JsonObject:
    return {
        "id": f"/subscriptions/{subscription}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription,
        "tenantId": azure.tenant_id,
        "displayName": f"Simulated subscription {subscription[-4:]}",
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def list_subscriptions(azure: Kernel, call: Call) -> Response:
    """The subscriptions in which the caller holds any role."""
    held = [each.scope.lower().rstrip("/") for each in call.principal.assignments]
    seen = [
        name
        for key, name in azure.subscriptions.items()
        if any(not scope or f"{scope}/".startswith(f"/subscriptions/{key}/") for scope in held)
    ]
    rows = [_subscription(azure, each) for each in seen]
    return Response.of(200, {"value": rows, "count": {"type": "Total", "value": len(rows)}})


def get_subscription(azure: Kernel, call: Call) -> Response:
    return Response.of(200, _subscription(azure, azure.subscriptions[call.subscription.lower()]))


def list_tenants(azure: Kernel, _call: Call) -> Response:
    tenant = azure.tenant_id
    row = {"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Simulated tenant", "tenantCategory": "Home"}
    return Response.of(200, {"value": [row]})


def list_locations(_azure: Kernel, call: Call) -> Response:
    rows = [
        {"id": f"{call.resource_id}/locations/{each}", "name": each, "displayName": each, "regionalDisplayName": each}
        for each in REGIONS
    ]
    return Response.of(200, {"value": rows})


# -- provider registration -------------------------------------------------------------------------------------------


def _provider(azure: Kernel, subscription: str, namespace: str) -> JsonObject:
    missing = (subscription.lower(), namespace.lower()) in azure.unregistered
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "NotRegistered" if missing else "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [_resource_type(namespace, each) for each in azure.resource_types(namespace)],
    }


def _resource_type(namespace: str, kind: str) -> JsonObject:
    version = _PRIVATE_DNS_VERSION if kind.startswith("privateDnsZones") else NAMESPACES[namespace]
    return {"resourceType": kind, "locations": list(REGIONS), "apiVersions": [version], "capabilities": "None"}


def list_providers(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": [_provider(azure, call.subscription, each) for each in NAMESPACES]})


def get_provider(azure: Kernel, call: Call) -> Response:
    return Response.of(200, _provider(azure, call.subscription, _namespace(call.params["namespace"])))


def register_provider(azure: Kernel, call: Call) -> Response:
    namespace = _namespace(call.params["namespace"])
    azure.unregistered.discard((call.subscription.lower(), namespace.lower()))
    return Response.of(200, _provider(azure, call.subscription, namespace))


def unregister_provider(azure: Kernel, call: Call) -> Response:
    namespace = _namespace(call.params["namespace"])
    azure.unregistered.add((call.subscription.lower(), namespace.lower()))
    return Response.of(200, _provider(azure, call.subscription, namespace))


def _namespace(name: str) -> str:
    for known in NAMESPACES:
        if known.lower() == name.lower():
            return known
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{name}' is invalid.", shape=Shape.GATEWAY)


# -- resource groups -------------------------------------------------------------------------------------------------


def list_groups(azure: Kernel, call: Call) -> Response:
    matches = odata.predicate(call.request.query.get("$filter", ""))
    groups = azure.world.of_type("Microsoft.Resources/resourceGroups", call.subscription)
    rows = (row for group in groups for fields in _tag_rows(group) if matches(fields) for row in [group.body])
    return page(call, azure.endpoint, _once(rows))


def get_group(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).body)


def head_group(azure: Kernel, call: Call) -> Response:
    if azure.world.get(call.resource_id) is None:
        return Response.empty(404, {"x-ms-failure-cause": "gateway"})
    return Response.empty(204)


def put_group(azure: Kernel, call: Call) -> Response:
    body = call.body or {}
    location = region(str(body.get("location", "")))
    if location not in REGIONS:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceGroup",
            f"The provided location '{body.get('location', '')}' is not available for resource group. List of "
            f"available regions is '{','.join(REGIONS)}'.",
            shape=Shape.GATEWAY,
        )
    known = azure.world.get(call.resource_id)
    if known is not None and known.body["location"] != location:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{known.body['location']}'.",
            shape=Shape.GATEWAY,
        )
    fresh: JsonObject = {
        "id": known.id if known is not None else call.resource_id,
        "name": known.name if known is not None else call.group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
    }
    fresh |= {key: body[key] for key in ("managedBy", "tags") if body.get(key) is not None}
    fresh["properties"] = {"provisioningState": "Succeeded"}
    azure.world.put(fresh)
    return Response.of(201 if known is None else 200, fresh)


def patch_group(azure: Kernel, call: Call) -> Response:
    group = azure.require(call.resource_id)
    if call.body is not None and "tags" in call.body:
        group.body["tags"] = call.body["tags"] or {}
    azure.world.touch(group)
    return Response.of(200, group.body)


def delete_group(azure: Kernel, call: Call) -> Response:
    """Everything inside goes with the group at the end; what must follow listens to `World.on_removal`."""
    group = azure.require(call.resource_id)
    group.properties["provisioningState"] = "Deleting"

    def finish(_at: datetime) -> None:
        azure.world.delete(group.id)

    job = {"jobId": f"RESOURCEGROUPDELETIONJOB-{call.group.upper()}", "jobLocation": group.location}
    operation = azure.begin(
        call,
        GROUP_DELETE,
        location=group.location,
        seconds=azure.durations.resource_group_delete,
        finish=finish,
        operation_id=base64.urlsafe_b64encode(json.dumps(job).encode()).decode().rstrip("="),
    )
    return Response.empty(202, operation.headers)


# -- lists of resources ----------------------------------------------------------------------------------------------


def list_resources(azure: Kernel, call: Call) -> Response:
    """Tracked top-level resources of a group or subscription, filtered as `az resource list` asks."""
    matches = odata.predicate(call.request.query.get("$filter", ""))
    expand = {each.strip().lower() for each in call.request.query.get("$expand", "").split(",")}
    group = call.params.get("rg", "")
    scope = f"/subscriptions/{call.subscription}/resourceGroups/{group}"
    found = azure.world.children(scope) if group else _in_subscription(azure, call.subscription)
    rows = (_row(each, expand) for each in found if any(matches(fields) for fields in _tag_rows(each)))
    return page(call, azure.endpoint, rows)


def _in_subscription(azure: Kernel, subscription: str) -> Iterator[Resource]:
    for group in azure.world.of_type("Microsoft.Resources/resourceGroups", subscription):
        yield from azure.world.children(group.key)


def _row(resource: Resource, expand: set[str]) -> JsonObject:
    row = {"id": resource.id, "name": resource.name, "type": resource.type}
    members = ("kind", "managedBy", "sku", "identity", "location", "tags")
    row |= {each: resource.body[each] for each in members if resource.body.get(each)}
    if "createdtime" in expand:
        row["createdTime"] = _stamp(resource.created)
    if "changedtime" in expand:
        row["changedTime"] = _stamp(resource.changed)
    if "provisioningstate" in expand:
        row["provisioningState"] = resource.properties.get("provisioningState", "Succeeded")
    return row


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def _tag_rows(resource: Resource) -> Iterator[dict[str, str]]:
    """The fields that filters may name, once per tag."""
    fields = {
        "name": resource.name,
        "resourcetype": resource.type,
        "location": resource.location,
        "resourcegroup": arm_ids.parse(resource.id).resource_group,
        "managedby": str(resource.body.get("managedBy", "")),
    }
    tags = resource.body.get("tags") or {"": ""}
    for key, value in tags.items():
        yield fields | {"tagname": str(key), "tagvalue": str(value)}


def _once(rows: Iterator[JsonObject]) -> Iterator[JsonObject]:
    """A group with several matching tags is listed once."""
    last: JsonObject | None = None
    for row in rows:
        if row is not last:
            yield row
        last = row


def list_denials(azure: Kernel, call: Call) -> Response:
    """Deny assignments that apply at a scope; with $filter=atScope() as without, those above it included."""
    scope = call.params["scope"]
    if arm_ids.parse(scope).subscription.lower() not in azure.subscriptions:
        raise errors.subscription_not_found(arm_ids.parse(scope).subscription)
    rows = [
        {
            "id": each.id,
            "name": each.id.rsplit("/", 1)[-1],
            "type": "Microsoft.Authorization/denyAssignments",
            "properties": {
                "denyAssignmentName": each.name,
                "description": each.name,
                "permissions": [
                    {
                        "actions": list(each.actions),
                        "notActions": list(each.not_actions),
                        "dataActions": [],
                        "notDataActions": [],
                    }
                ],
                "scope": each.scope,
                "doNotApplyToChildScopes": False,
                "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
                "excludePrincipals": [{"id": one, "type": "ServicePrincipal"} for one in each.exempt],
                "isSystemProtected": True,
            },
        }
        for each in azure.rbac.denials(scope)
    ]
    return Response.of(200, {"value": rows})


_SUBSCRIPTION = "/subscriptions/{sub}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{rg}"
_RESOURCES_READ = "Microsoft.Resources/subscriptions/resources/read"
_GROUP_RESOURCES_READ = "Microsoft.Resources/subscriptions/resourceGroups/resources/read"

ROUTES = (
    Route("GET", "/subscriptions", list_subscriptions, action="-"),
    Route("GET", "/tenants", list_tenants, action="-"),
    Route("GET", _SUBSCRIPTION, get_subscription),
    Route("GET", _SUBSCRIPTION + "/locations", list_locations, action="Microsoft.Resources/subscriptions/read"),
    Route(
        "GET", _SUBSCRIPTION + "/providers", list_providers, action="Microsoft.Resources/subscriptions/providers/read"
    ),
    Route(
        "GET",
        _SUBSCRIPTION + "/providers/{namespace}",
        get_provider,
        action="Microsoft.Resources/subscriptions/providers/read",
    ),
    Route(
        "POST",
        _SUBSCRIPTION + "/providers/{namespace}/register",
        register_provider,
        action="{namespace}/register/action",
    ),
    Route(
        "POST",
        _SUBSCRIPTION + "/providers/{namespace}/unregister",
        unregister_provider,
        action="{namespace}/unregister/action",
    ),
    Route("GET", _SUBSCRIPTION + "/resources", list_resources, action=_RESOURCES_READ),
    Route("GET", _SUBSCRIPTION + "/resourceGroups", list_groups),
    Route("GET", _GROUP + "/resources", list_resources, action=_GROUP_RESOURCES_READ),
    Route("GET", _GROUP, get_group, checks=False),
    Route("HEAD", _GROUP, head_group, checks=False),
    Route("PUT", _GROUP, put_group, checks=False),
    Route("PATCH", _GROUP, patch_group, checks=False),
    Route("DELETE", _GROUP, delete_group, checks=False),
    Route("GET", "{scope}/providers/Microsoft.Authorization/denyAssignments", list_denials),
)
