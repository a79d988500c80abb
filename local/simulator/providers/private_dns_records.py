"""
A records of private DNS zones: written by people, and by the zone groups of private endpoints.

Synchronous, with entity tags and preconditions. Errors have no wrapper (recorded: azcli2411). Names come back
lower-cased.
"""

from collections.abc import Sequence

from local.simulator import arm_ids
from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

ZONES = "Microsoft.Network/privateDnsZones"
A_RECORDS = ZONES + "/A"


def lowered(resource_id: str) -> str:
    """The id as Private DNS returns it: group and names in lower case, type names as they are (recorded: cpa)."""
    segments = resource_id.split("/")
    kept = {"subscriptions", "resourcegroups", "providers"}
    for at, segment in enumerate(segments):
        names = at in (4, 8, 10)
        if names and segment.lower() not in kept:
            segments[at] = segment.lower()
    return "/".join(segments)


def record_id(zone: Resource, name: str) -> str:
    return f"{zone.id}/A/{name.lower()}"


def _body(azure: Kernel, zone: Resource, name: str, properties: JsonObject) -> JsonObject:
    shown: JsonObject = {}
    if properties.get("metadata") is not None:
        shown["metadata"] = properties["metadata"]
    domain = zone.name if name == "@" else f"{name.lower()}.{zone.name}"
    shown |= {
        "fqdn": f"{domain}.",
        "ttl": properties.get("ttl", 3600),
        "aRecords": properties.get("aRecords") or [],
        "isAutoRegistered": False,
    }
    return {
        "id": record_id(zone, name),
        "name": name.lower(),
        "type": A_RECORDS,
        "etag": azure.world.trace_id(),
        "properties": shown,
    }


def write(azure: Kernel, zone: Resource, name: str, addresses: Sequence[str], *, owner: str, creator: str) -> None:
    """Write a record for a zone group. Another owner's record of that name is replaced, as in the service."""
    records = [{"ipv4Address": each} for each in addresses]
    properties = {"metadata": {"creator": creator}, "ttl": 10, "aRecords": records}
    azure.world.put(_body(azure, zone, name, properties), private={"owner": owner.lower()})


def remove(azure: Kernel, zone_id: str, name: str, *, owner: str) -> None:
    """Remove a zone group's record, unless somebody else has written it since."""
    zone = azure.world.get(zone_id)
    record = azure.world.get(record_id(zone, name)) if zone is not None else None
    if record is not None and record.private.get("owner") == owner.lower():
        azure.world.delete(record.id)


def _precondition(call: Call, known: Resource | None, name: str) -> None:
    """
    Honour If-Match and If-None-Match.

    Raises:
        ArmError: 412 PreconditionFailed, without a wrapper.
    """
    expected = call.request.header("If-Match")
    if call.request.header("If-None-Match") == "*" and known is not None:
        message = f"The Record set {name} exists already and hence cannot be created again."
        raise ArmError(412, "PreconditionFailed", message, shape=Shape.BARE)
    if expected and expected != "*" and (known is None or known.body["etag"] != expected):
        message = f"The Record set {name} has been modified (etag mismatch)."
        raise ArmError(412, "PreconditionFailed", message, shape=Shape.BARE)


def _zone(azure: Kernel, call: Call) -> Resource:
    """The record's zone; the kernel has already refused calls on zones that do not exist."""
    return azure.require(arm_ids.parse(call.resource_id).parent)


def _shown(status: int, record: Resource) -> Response:
    return Response.of(status, record.body, {"ETag": str(record.body["etag"])})


def put_record(azure: Kernel, call: Call) -> Response:
    zone, name = _zone(azure, call), call.params["record"]
    known = azure.world.get(record_id(zone, name))
    _precondition(call, known, name)
    record = azure.world.put(_body(azure, zone, name, call.properties), private={})
    return _shown(201 if known is None else 200, record)


def patch_record(azure: Kernel, call: Call) -> Response:
    zone, name = _zone(azure, call), call.params["record"]
    known = azure.world.get(record_id(zone, name))
    _precondition(call, known, name)
    if known is None:
        raise _missing(name, zone.name)
    merged = known.properties | call.properties
    return _shown(200, azure.world.put(_body(azure, zone, name, merged)))


def get_record(azure: Kernel, call: Call) -> Response:
    zone, name = _zone(azure, call), call.params["record"]
    record = azure.world.get(record_id(zone, name))
    if record is None:
        raise _missing(name, zone.name)
    return _shown(200, record)


def _missing(name: str, zone: str) -> ArmError:
    message = f"The resource record '{name}' does not exist in resource zone '{zone}'."
    return ArmError(404, "NotFound", message, shape=Shape.BARE)


def delete_record(azure: Kernel, call: Call) -> Response:
    zone, name = _zone(azure, call), call.params["record"]
    known = azure.world.get(record_id(zone, name))
    if known is None:
        return Response.empty(204)
    _precondition(call, known, name)
    azure.world.delete(known.id)
    return Response.empty(200)


def list_records(azure: Kernel, call: Call) -> Response:
    zone = azure.require(call.resource_id)
    suffix = call.request.query.get("$recordsetnamesuffix", "").lower()
    rows = (each.body for each in azure.world.children(zone.id, A_RECORDS) if each.name.endswith(suffix))
    return page(call, azure.endpoint, rows, size=100)


_ZONE = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/privateDnsZones/{zone}"
_RECORD = _ZONE + "/A/{record}"

ROUTES = (
    Route("GET", _ZONE + "/A", list_records),
    Route("GET", _ZONE + "/ALL", list_records, action=f"{ZONES}/ALL/read"),
    Route("PUT", _RECORD, put_record, nested_error=True),
    Route("PATCH", _RECORD, patch_record, nested_error=True),
    Route("GET", _RECORD, get_record, nested_error=True),
    Route("DELETE", _RECORD, delete_record, nested_error=True),
)
