"""
Network security groups and their rules.

Priorities are checked as the service does: 100 to 4096, unique per direction. Effective rules and flow logs do not exist.
"""

from datetime import datetime

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK_DELETE
from local.simulator.providers import network_answers as answers
from local.simulator.providers.resources import region
from local.simulator.providers.subnets import STYLE
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

GROUPS = "Microsoft.Network/networkSecurityGroups"

_DEFAULTS = (
    ("AllowVnetInBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Inbound"),
    ("AllowAzureLoadBalancerInBound", "AzureLoadBalancer", "*", "Allow", 65001, "Inbound"),
    ("DenyAllInBound", "*", "*", "Deny", 65500, "Inbound"),
    ("AllowVnetOutBound", "VirtualNetwork", "VirtualNetwork", "Allow", 65000, "Outbound"),
    ("AllowInternetOutBound", "*", "Internet", "Allow", 65001, "Outbound"),
    ("DenyAllOutBound", "*", "*", "Deny", 65500, "Outbound"),
)
_LISTS = ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")


def _rule(group_id: str, name: str, asked: JsonObject, etag: str, *, part: str = "securityRules") -> JsonObject:
    properties: JsonObject = {"provisioningState": "Updating"} | dict(asked)
    for each in _LISTS:
        properties.setdefault(each, [])
    return {
        "name": name,
        "id": f"{group_id}/{part}/{name}",
        "etag": etag,
        "type": f"{GROUPS}/{part}",
        "properties": properties,
    }


def _demand_sound(group: JsonObject) -> None:
    """Every rule is complete, its priority allowed and not used twice in its direction."""
    seen: dict[tuple[str, int], str] = {}
    for rule in group["properties"]["securityRules"]:
        properties = rule["properties"]
        missing = [each for each in ("priority", "direction", "access", "protocol") if not properties.get(each)]
        if missing:
            raise answers.bad_request(
                "SecurityRuleParameterMissing", f"Security rule {rule['id']} lacks {', '.join(missing)}."
            )
        priority = int(properties["priority"])
        if not 100 <= priority <= 4096:
            raise answers.bad_request(
                "SecurityRuleInvalidPriority",
                f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096.",
            )
        key = (str(properties["direction"]).lower(), priority)
        if key in seen:
            raise answers.bad_request(
                "SecurityRuleConflict",
                f"Security rule {rule['name']} conflicts with rule {seen[key]}. Rules cannot have the same Priority and "
                "Direction.",
            )
        seen[key] = str(rule["name"])


def put_group(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    answers.demand_match(call, known)
    group_id = known.id if known is not None else call.resource_id
    etag = azure.world.etag()
    asked = call.properties.get("securityRules") or []
    body: JsonObject = {
        "name": call.params["nsg"],
        "id": group_id,
        "etag": etag,
        "type": GROUPS,
        "location": region(str((call.body or {}).get("location", ""))),
    }
    if (call.body or {}).get("tags"):
        body["tags"] = (call.body or {})["tags"]
    body["properties"] = {
        "provisioningState": "Updating",
        "resourceGuid": known.properties["resourceGuid"] if known is not None else azure.world.guid(),
        "securityRules": [_rule(group_id, each["name"], each.get("properties") or {}, etag) for each in asked],
        "defaultSecurityRules": _default_rules(group_id, etag),
    }
    _demand_sound(body)
    group = azure.world.put(body)
    return Response.of(201 if known is None else 200, group.body, _begin(azure, call, group))


def _default_rules(group_id: str, etag: str) -> list[JsonObject]:
    rules = []
    for name, source, destination, access, priority, direction in _DEFAULTS:
        properties = {
            "protocol": "*",
            "sourcePortRange": "*",
            "destinationPortRange": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "access": access,
            "priority": priority,
            "direction": direction,
        }
        rules.append(_rule(group_id, name, properties, etag, part="defaultSecurityRules"))
    return rules


def _begin(azure: Kernel, call: Call, group: Resource) -> dict[str, str]:
    def finish(_at: datetime) -> None:
        answers.stamp(azure, group.body, "Succeeded")

    def fail(_at: datetime, _error: JsonObject) -> None:
        answers.stamp(azure, group.body, "Failed")

    seconds = azure.durations.security_group
    return azure.begin(call, STYLE, location=group.location, seconds=seconds, finish=finish, fail=fail).headers


def get_group(azure: Kernel, call: Call) -> Response:
    return answers.shown(azure, azure.require(call.resource_id))


def list_groups(azure: Kernel, call: Call) -> Response:
    return answers.listed(azure, call, GROUPS)


def tag_group(azure: Kernel, call: Call) -> Response:
    group = azure.require(call.resource_id)
    group.body["tags"] = (call.body or {}).get("tags") or {}
    answers.stamp(azure, group.body, "Succeeded")
    return answers.shown(azure, group)


def delete_group(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    location = known.location if known is not None else ""
    return answers.delete(azure, call, seconds=azure.durations.security_group, location=location)


# -- single rules ----------------------------------------------------------------------------------------------------


def _group_of(azure: Kernel, call: Call) -> Resource:
    return azure.require(call.resource_id.rpartition("/securityRules/")[0] or call.resource_id)


def _find(group: Resource, name: str) -> JsonObject | None:
    rules: list[JsonObject] = group.properties["securityRules"]
    return next((each for each in rules if str(each["name"]).lower() == name.lower()), None)


def put_rule(azure: Kernel, call: Call) -> Response:
    group, name = _group_of(azure, call), call.params["rule"]
    if azure.options.network_contention and group.properties["provisioningState"] == "Updating":
        raise answers.busy("PutSecurityRuleOperation", group.id, azure.world.guid(), 10)
    before = _find(group, name)
    rules: list[JsonObject] = group.properties["securityRules"]
    rule = _rule(group.id, name, call.properties, azure.world.etag())
    candidate = [each for each in rules if each is not before] + [rule]
    _demand_sound({"properties": {"securityRules": candidate}})
    group.properties["securityRules"] = candidate
    answers.stamp(azure, group.body, "Updating", parts=False)
    headers = _begin(azure, call, group)
    return Response.of(201 if before is None else 200, rule, headers)


def get_rule(azure: Kernel, call: Call) -> Response:
    rule = _find(_group_of(azure, call), call.params["rule"])
    if rule is None:
        raise answers.not_found(call.resource_id)
    return Response.of(200, rule, {"ETag": str(rule["etag"])})


def list_rules(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": azure.require(call.resource_id).properties["securityRules"]})


def delete_rule(azure: Kernel, call: Call) -> Response:
    group, name = _group_of(azure, call), call.params["rule"]
    if _find(group, name) is None:
        return Response.empty(204)

    def finish(_at: datetime) -> None:
        rules: list[JsonObject] = group.properties["securityRules"]
        group.properties["securityRules"] = [each for each in rules if str(each["name"]).lower() != name.lower()]
        answers.stamp(azure, group.body, "Succeeded")

    seconds = azure.durations.security_group
    operation = azure.begin(call, NETWORK_DELETE, location=group.location, seconds=seconds, finish=finish)
    return Response.empty(202, operation.headers)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/networkSecurityGroups"
_NSG = _GROUP + "/{nsg}"
_RULE = _NSG + "/securityRules/{rule}"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/networkSecurityGroups", list_groups),
    Route("GET", _GROUP, list_groups),
    Route("PUT", _NSG, put_group),
    Route("GET", _NSG, get_group),
    Route("PATCH", _NSG, tag_group),
    Route("DELETE", _NSG, delete_group),
    Route("GET", _NSG + "/securityRules", list_rules),
    Route("PUT", _RULE, put_rule),
    Route("GET", _RULE, get_rule),
    Route("DELETE", _RULE, delete_rule),
)
