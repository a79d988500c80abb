"""
Private DNS zone groups: they write an endpoint's names into zones and take them out again.

A zone that does not fit the endpoint's names is accepted and stays without records (recorded: azcli2307). Records belong
to the group that wrote them; a later group with the same name in the same zone takes the record over, as in the service.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from local.simulator import arm_ids
from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK
from local.simulator.providers import endpoint_connections as wanted
from local.simulator.providers import endpoint_interfaces as interfaces
from local.simulator.providers import network_answers, private_dns_records
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

GROUPS = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
MOST_ZONES = 5


def record_name(fqdn: str, zone: str) -> str:
    """The record that leads from a public name through a zone; empty when the zone does not fit it."""
    suffix = "." + zone.lower().removeprefix("privatelink.")
    return fqdn.lower().removesuffix(suffix) if fqdn.lower().endswith(suffix) else ""


def _zone_name(zone_id: str) -> str:
    return arm_ids.parse(zone_id).name.lower()


def _record_sets(azure: Kernel, endpoint: Resource, zone: str, state: str) -> list[JsonObject]:
    nic = interfaces.of(azure, endpoint)
    if nic is None or not wanted.approved(endpoint):
        return []
    found: dict[str, list[str]] = {}
    for fqdn, address in interfaces.names(nic):
        name = record_name(fqdn, zone)
        if name:
            found.setdefault(name, []).append(address)
    return [
        {
            "recordType": "A",
            "recordSetName": name,
            "fqdn": f"{name}.{zone}",
            "ttl": 10,
            "provisioningState": state,
            "ipAddresses": addresses,
        }
        for name, addresses in found.items()
    ]


def _configs(group: Resource) -> Iterator[JsonObject]:
    yield from group.properties["privateDnsZoneConfigs"]


def _set_state(azure: Kernel, group: Resource, state: str) -> None:
    network_answers.stamp(azure, group.body, state)
    for config in _configs(group):
        for each in config["properties"]["recordSets"]:
            each["provisioningState"] = state


def _write(azure: Kernel, endpoint: Resource, group: Resource) -> None:
    """
    Bring the zones in line with the endpoint.

    Raises:
        ArmError: 400 InvalidResourceReference when a zone does not exist; the others have been written then.
    """
    written: dict[str, list[str]] = {}
    absent = ""
    for config in _configs(group):
        properties = config["properties"]
        zone_id = str(properties["privateDnsZoneId"])
        properties["recordSets"] = _record_sets(azure, endpoint, _zone_name(zone_id), "Succeeded")
        zone = azure.world.get(zone_id)
        if zone is None:
            absent = zone_id
            continue
        for each in properties["recordSets"]:
            creator = (
                f"created by private endpoint {endpoint.name} with resource guid {endpoint.properties['resourceGuid']}"
            )
            name = each["recordSetName"]
            private_dns_records.write(azure, zone, name, each["ipAddresses"], owner=group.id, creator=creator)
            written.setdefault(zone.id, []).append(name)
    _take_out(azure, group, keep=written)
    group.private["written"] = written
    if absent:
        raise network_answers.invalid_reference(absent, group.id)


def _take_out(azure: Kernel, group: Resource, *, keep: dict[str, list[str]]) -> None:
    for zone_id, names in group.private.get("written", {}).items():
        for name in names:
            if name not in keep.get(zone_id, []):
                private_dns_records.remove(azure, zone_id, name, owner=group.id)


def removed(azure: Kernel, group: Resource) -> None:
    """The group has left the world: so do its records."""
    _take_out(azure, group, keep={})


def refresh(azure: Kernel, endpoint: Resource) -> None:
    """The endpoint's names or addresses changed: records and customDnsConfigs follow."""
    for group in azure.world.children(endpoint.id, GROUPS):
        if group.properties["provisioningState"] != "Succeeded":
            continue
        try:
            _write(azure, endpoint, group)
        except ArmError:
            # A zone that was deleted under its group leaves the group without effect; the endpoint is not to blame.
            continue
    show_names(azure, endpoint)


def show_names(azure: Kernel, endpoint: Resource) -> None:
    """Fill or empty the endpoint's customDnsConfigs."""
    nic = interfaces.of(azure, endpoint)
    ready = endpoint.properties["provisioningState"] == "Succeeded" and wanted.approved(endpoint)
    served = azure.options.dns_configs_empty_with_zone_group and any(
        config["properties"]["recordSets"]
        for group in azure.world.children(endpoint.id, GROUPS)
        for config in _configs(group)
    )
    if nic is None or not ready or served:
        endpoint.properties["customDnsConfigs"] = []
        return
    found: dict[str, list[str]] = {}
    for fqdn, address in interfaces.names(nic):
        found.setdefault(fqdn, []).append(address)
    endpoint.properties["customDnsConfigs"] = [{"fqdn": fqdn, "ipAddresses": each} for fqdn, each in found.items()]


# -- calls -----------------------------------------------------------------------------------------------------------


def put_group(azure: Kernel, call: Call) -> Response:
    endpoint = azure.require(arm_ids.parse(call.resource_id).parent)
    _demand_ready(azure, endpoint)
    known = azure.world.get(call.resource_id)
    network_answers.demand_match(call, known)
    others = [each for each in azure.world.children(endpoint.id, GROUPS) if each is not known]
    if others:
        raise network_answers.bad_request(
            "PrivateEndpointCannotHaveMoreThanOneDnsZoneGroup",
            f"Private endpoint {endpoint.id} already has the private DNS zone group {others[0].id}.",
        )
    body = _group_body(azure, call, endpoint)
    group = azure.world.put(body)

    def finish(_at: datetime) -> None:
        if azure.world.get(group.id) is not None and azure.world.get(endpoint.id) is not None:
            finished(azure, endpoint, group)

    operation = azure.begin(
        call,
        NETWORK,
        location=endpoint.location,
        seconds=azure.durations.zone_group,
        finish=finish,
        fail=lambda _at, _error: _set_state(azure, group, "Failed"),
    )
    return Response.of(201 if known is None else 200, group.body, operation.headers)


def finished(azure: Kernel, endpoint: Resource, group: Resource) -> None:
    """The group is provisioned: the endpoint's names are in its zones."""
    _write(azure, endpoint, group)
    _set_state(azure, group, "Succeeded")
    show_names(azure, endpoint)


def _demand_ready(azure: Kernel, endpoint: Resource) -> None:
    """The endpoint is not being written at the moment."""
    state = endpoint.properties["provisioningState"]
    if state in ("Updating", "Deleting"):
        verb = "Delete" if state == "Deleting" else "Put"
        running = str(endpoint.private.get("operation", azure.world.trace_id()))
        raise network_answers.busy(f"{verb}PrivateEndpointOperation", endpoint.id, running, 11)


def _group_body(azure: Kernel, call: Call, endpoint: Resource) -> JsonObject:
    asked = call.properties.get("privateDnsZoneConfigs") or []
    if len(asked) > MOST_ZONES:
        raise network_answers.bad_request(
            "PrivateDnsZoneGroupHasTooManyZones",
            f"Private DNS zone group {call.resource_id} names {len(asked)} zones; at most {MOST_ZONES} are allowed.",
        )
    zones: list[tuple[str, str]] = []
    for each in asked:
        zone_id = str((each.get("properties") or {}).get("privateDnsZoneId") or "")
        azure.demand_linked(call, "Microsoft.Network/privateDnsZones/join/action", zone_id)
        if azure.world.get(zone_id) is None:
            raise network_answers.invalid_reference(
                zone_id, f"{endpoint.id}/privateDnsZoneGroups/{call.params['group']}"
            )
        zones.append((each.get("name", "config"), zone_id))
    return new_body(azure, endpoint, call.params["group"], zones)


def new_body(azure: Kernel, endpoint: Resource, name: str, zones: Sequence[tuple[str, str]]) -> JsonObject:
    """A group that is being provisioned; *zones* are pairs of a config's name and its zone's id."""
    group_id = f"{endpoint.id}/privateDnsZoneGroups/{name}"
    etag = azure.world.etag()
    configs = [
        {
            "name": config,
            "id": f"{group_id}/privateDnsZoneConfigs/{config}",
            "etag": etag,
            "type": f"{GROUPS}/privateDnsZoneConfigs",
            "properties": {
                "provisioningState": "Updating",
                "privateDnsZoneId": zone_id,
                "recordSets": _record_sets(azure, endpoint, _zone_name(zone_id), "Updating"),
            },
        }
        for config, zone_id in zones
    ]
    return {
        "name": name,
        "id": group_id,
        "etag": etag,
        "type": GROUPS,
        "properties": {"provisioningState": "Updating", "privateDnsZoneConfigs": configs},
    }


def get_group(azure: Kernel, call: Call) -> Response:
    group = azure.world.get(call.resource_id)
    if group is None:
        raise network_answers.not_found(call.resource_id)
    return network_answers.shown(azure, group)


def list_groups(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": [each.body for each in azure.world.children(call.resource_id, GROUPS)]})


def delete_group(azure: Kernel, call: Call) -> Response:
    endpoint = azure.require(arm_ids.parse(call.resource_id).parent)
    return network_answers.delete(azure, call, seconds=azure.durations.zone_group_delete, location=endpoint.location)


_ENDPOINT = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/privateEndpoints/{endpoint}"
_GROUP = _ENDPOINT + "/privateDnsZoneGroups/{group}"

ROUTES = (
    Route("GET", _ENDPOINT + "/privateDnsZoneGroups", list_groups),
    Route("PUT", _GROUP, put_group),
    Route("GET", _GROUP, get_group),
    Route("DELETE", _GROUP, delete_group),
)
