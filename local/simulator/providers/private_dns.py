"""
Private DNS zones and their links to virtual networks.

Writes are accepted with 202 and `{}` whatever comes of them; a failed precondition or a second link of one network to
one zone name is told by the poll. Zones and links appear when the operation ends. Names come back lower-cased.
"""

import base64
from collections.abc import Callable
from datetime import datetime

from local.simulator import arm_ids
from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.operations import OperationStyle, constant
from local.simulator.paging import page
from local.simulator.providers import private_dns_records as records
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

ZONES = records.ZONES
LINKS = f"{ZONES}/virtualNetworkLinks"

_PATH = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/"
STYLE = OperationStyle(
    status_path=_PATH + "privateDnsOperationStatuses/{id}",
    result_path=_PATH + "privateDnsOperationResults/{id}",
    first_retry_after=30,
    retry_after=constant(30),
    pending_status=202,
    result_done_status=200,
    repeat_headers=True,
)
"""Both headers, Retry-After 30, pending polls are 202 and carry the headers again (recorded: aso2512)."""


def _begin(
    azure: Kernel, call: Call, work: str, *, seconds: float, finish: Callable[[datetime], None]
) -> dict[str, str]:
    """Start the operation; its id is base64 text that names the work, as recorded."""
    text = f"FrontEndAsyncOperation;{work};{azure.world.trace_id()}_{azure.world.trace_id()}"
    operation_id = base64.b64encode(text.encode()).decode()
    operation = azure.begin(call, STYLE, location="global", seconds=seconds, finish=finish, operation_id=operation_id)
    return operation.headers


def _demand_precondition(call: Call, known: Resource | None, noun: str) -> None:
    """
    Honour If-Match and If-None-Match, at the end of the operation.

    Raises:
        ArmError: 412 PreconditionFailed.
    """
    name = arm_ids.parse(call.resource_id).name
    expected = call.request.header("If-Match")
    if call.request.header("If-None-Match") == "*" and known is not None:
        message = f"The {noun} {name} exists already and hence cannot be created again."
        raise ArmError(412, "PreconditionFailed", message, shape=Shape.BARE)
    if expected and expected != "*" and (known is None or known.body["etag"] != expected):
        message = f"The {noun} {name} has been modified (etag mismatch)."
        raise ArmError(412, "PreconditionFailed", message, shape=Shape.BARE)


# -- zones -----------------------------------------------------------------------------------------------------------


def zone_view(azure: Kernel, zone: Resource) -> JsonObject:
    """The zone with its counts."""
    links = list(azure.world.children(zone.id, LINKS))
    found = sum(1 for _ in azure.world.children(zone.id, records.A_RECORDS))
    properties = {
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfRecordSets": 1 + found,
        "numberOfVirtualNetworkLinks": len(links),
        "numberOfVirtualNetworkLinksWithRegistration": sum(
            1 for each in links if each.properties.get("registrationEnabled")
        ),
        "provisioningState": "Succeeded",
    }
    return zone.body | {"properties": properties}


def put_zone(azure: Kernel, call: Call) -> Response:
    asked = call.body or {}
    if "." not in call.params["zone"].strip("."):
        message = f"The domain name '{call.params['zone']}' is invalid. It must contain at least two labels."
        raise ArmError(400, "BadRequest", message, shape=Shape.BARE)

    def finish(_at: datetime) -> None:
        known = azure.world.get(call.resource_id)
        _demand_precondition(call, known, "Private DNS zone")
        body: JsonObject = {
            "id": records.lowered(call.resource_id),
            "name": call.params["zone"].lower(),
            "type": ZONES,
            "etag": azure.world.trace_id(),
            "location": "global",
        }
        tags = asked.get("tags") if "tags" in asked or known is None else known.body.get("tags")
        if tags:
            body["tags"] = tags
        azure.world.put(body | {"properties": {}})

    seconds = azure.durations.private_dns
    return Response.of(202, {}, _begin(azure, call, "UpsertPrivateDnsZone", seconds=seconds, finish=finish))


def patch_zone(azure: Kernel, call: Call) -> Response:
    azure.require(call.resource_id)
    return put_zone(azure, call)


def get_zone(azure: Kernel, call: Call) -> Response:
    zone = azure.require(call.resource_id)
    return Response.of(200, zone_view(azure, zone), {"ETag": str(zone.body["etag"])})


def list_zones(azure: Kernel, call: Call) -> Response:
    if "rg" in call.params:
        found = azure.world.children(f"/subscriptions/{call.subscription}/resourceGroups/{call.group}", ZONES)
    else:
        found = azure.world.of_type(ZONES, call.subscription)
    return page(call, azure.endpoint, (zone_view(azure, each) for each in found), size=100)


def delete_zone(azure: Kernel, call: Call) -> Response:
    zone = azure.world.get(call.resource_id)
    if zone is None:
        return Response.empty(204)
    link = next(azure.world.children(zone.id, LINKS), None)
    if link is not None:
        raise ArmError(
            409,
            "CannotDeleteResource",
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: "
            f"'{ZONES}/{zone.name}/virtualNetworkLinks/{link.name}'. Please delete all nested resources before deleting "
            "this resource.",
            shape=Shape.GATEWAY,
        )
    return Response.empty(202, _delete(azure, call, "DeletePrivateDnsZone", "Private DNS zone"))


def _delete(azure: Kernel, call: Call, work: str, noun: str) -> dict[str, str]:
    def finish(_at: datetime) -> None:
        _demand_precondition(call, azure.world.get(call.resource_id), noun)
        azure.world.delete(call.resource_id)

    return _begin(azure, call, work, seconds=azure.durations.private_dns_delete, finish=finish)


# -- links -----------------------------------------------------------------------------------------------------------


def _demand_single_link(azure: Kernel, link_id: str, zone_name: str, network_id: str) -> None:
    """
    A network is linked to one zone of a name only.

    Raises:
        ArmError: 400 BadRequest, told by the operation.
    """
    for other in azure.world.of_type(LINKS):
        if other.key == link_id.lower() or other.properties["virtualNetwork"]["id"].lower() != network_id.lower():
            continue
        theirs = arm_ids.parse(arm_ids.parse(other.id).parent).name
        if theirs.lower() == zone_name.lower():
            raise ArmError(
                400,
                "BadRequest",
                "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link "
                f"virtual network with '{zone_name}' and '{theirs}' zones.",
                shape=Shape.BARE,
            )


def put_link(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    asked = call.body or {}
    network_id = str((call.properties.get("virtualNetwork") or {}).get("id", ""))
    if not network_id and known is not None:
        network_id = known.properties["virtualNetwork"]["id"]
    if not network_id:
        message = "The virtual network of the link is missing: properties.virtualNetwork.id."
        raise ArmError(400, "BadRequest", message, shape=Shape.BARE)
    azure.demand_linked(call, "Microsoft.Network/virtualNetworks/join/action", network_id)

    def finish(_at: datetime) -> None:
        before = azure.world.get(call.resource_id)
        _demand_precondition(call, before, "virtual network link")
        zone = azure.require(arm_ids.parse(call.resource_id).parent)
        if azure.world.get(network_id) is None:
            message = f"The virtual network '{network_id}' of the link does not exist."
            raise ArmError(400, "BadRequest", message, shape=Shape.BARE)
        _demand_single_link(azure, call.resource_id, zone.name, network_id)
        properties = dict(before.properties) if before is not None else {}
        properties |= {"provisioningState": "Succeeded"}
        properties["registrationEnabled"] = bool(call.properties.get("registrationEnabled", False))
        if "resolutionPolicy" in call.properties or zone.name.startswith("privatelink."):
            properties.setdefault("resolutionPolicy", "Default")
            properties |= {key: call.properties[key] for key in ("resolutionPolicy",) if key in call.properties}
        properties |= {"virtualNetwork": {"id": network_id}, "virtualNetworkLinkState": "Completed"}
        body: JsonObject = {
            "id": records.lowered(call.resource_id),
            "name": call.params["link"].lower(),
            "type": LINKS,
            "etag": f'"{azure.world.trace_id()}"',
            "location": "global",
        }
        tags = asked.get("tags") if "tags" in asked or before is None else before.body.get("tags")
        if tags:
            body["tags"] = tags
        azure.world.put(body | {"properties": properties})

    seconds = azure.durations.private_dns
    return Response.of(202, {}, _begin(azure, call, "UpsertVirtualNetworkLink", seconds=seconds, finish=finish))


def patch_link(azure: Kernel, call: Call) -> Response:
    azure.require(call.resource_id)
    return put_link(azure, call)


def get_link(azure: Kernel, call: Call) -> Response:
    link = azure.require(call.resource_id)
    return Response.of(200, link.body, {"ETag": str(link.body["etag"])})


def list_links(azure: Kernel, call: Call) -> Response:
    rows = (each.body for each in azure.world.children(call.resource_id, LINKS))
    return page(call, azure.endpoint, rows, size=100)


def delete_link(azure: Kernel, call: Call) -> Response:
    if azure.world.get(call.resource_id) is None:
        return Response.empty(204)
    return Response.empty(202, _delete(azure, call, "DeleteVirtualNetworkLink", "virtual network link"))


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/privateDnsZones"
_ZONE = _GROUP + "/{zone}"
_LINK = _ZONE + "/virtualNetworkLinks/{link}"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/privateDnsZones", list_zones),
    Route("GET", _GROUP, list_zones),
    Route("PUT", _ZONE, put_zone),
    Route("PATCH", _ZONE, patch_zone),
    Route("GET", _ZONE, get_zone),
    Route("DELETE", _ZONE, delete_zone),
    Route("GET", _ZONE + "/virtualNetworkLinks", list_links),
    Route("PUT", _LINK, put_link),
    Route("PATCH", _LINK, patch_link),
    Route("GET", _LINK, get_link),
    Route("DELETE", _LINK, delete_link),
    *records.ROUTES,
)
