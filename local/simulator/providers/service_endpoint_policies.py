"""
Service endpoint policies and their definitions.

Shapes as in the published specification; how long writes take is ASSUMED to be what security groups take. Nothing is
filtered: there is no traffic. A policy does not show the subnets it is attached to. ASSUMED is the code with which an
alias outside service Global is refused: the rule itself is known from deployment modules.
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

POLICIES = "Microsoft.Network/serviceEndpointPolicies"
_PART = "serviceEndpointPolicyDefinitions"
_ALIASES = "/services/"


def _definition(policy_id: str, name: str, asked: JsonObject, etag: str) -> JsonObject:
    service = str(asked.get("service", ""))
    resources = [str(each) for each in asked.get("serviceResources") or []]
    if any(each.lower().startswith(_ALIASES) for each in resources) and service.lower() != "global":
        raise answers.bad_request(
            "ServiceEndpointPolicyDefinitionInvalid",
            f"Definition {name} of {policy_id} names an alias, which belongs to service Global, under service {service}.",
        )
    return {
        "name": name,
        "id": f"{policy_id}/{_PART}/{name}",
        "etag": etag,
        "type": f"{POLICIES}/{_PART}",
        "properties": {"provisioningState": "Updating"} | dict(asked),
    }


def put_policy(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    answers.demand_match(call, known)
    policy_id = known.id if known is not None else call.resource_id
    etag = azure.world.etag()
    asked = call.properties.get(_PART) or []
    body: JsonObject = {
        "name": call.params["policy"],
        "id": policy_id,
        "etag": etag,
        "type": POLICIES,
        "location": region(str((call.body or {}).get("location", ""))),
        "properties": {
            "provisioningState": "Updating",
            "resourceGuid": known.properties["resourceGuid"] if known is not None else azure.world.guid(),
            _PART: [_definition(policy_id, each["name"], each.get("properties") or {}, etag) for each in asked],
        },
    }
    if (call.body or {}).get("tags"):
        body["tags"] = (call.body or {})["tags"]
    policy = azure.world.put(body)
    return Response.of(201 if known is None else 200, policy.body, _begin(azure, call, policy))


def _begin(azure: Kernel, call: Call, policy: Resource) -> dict[str, str]:
    def finish(_at: datetime) -> None:
        answers.stamp(azure, policy.body, "Succeeded")

    def fail(_at: datetime, _error: JsonObject) -> None:
        answers.stamp(azure, policy.body, "Failed")

    seconds = azure.durations.security_group
    return azure.begin(call, STYLE, location=policy.location, seconds=seconds, finish=finish, fail=fail).headers


def get_policy(azure: Kernel, call: Call) -> Response:
    return answers.shown(azure, azure.require(call.resource_id))


def list_policies(azure: Kernel, call: Call) -> Response:
    return answers.listed(azure, call, POLICIES)


def delete_policy(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    location = known.location if known is not None else ""
    return answers.delete(azure, call, seconds=azure.durations.security_group, location=location)


# -- definitions -------------------------------------------------------------------------------------------------------


def _policy_of(azure: Kernel, call: Call) -> Resource:
    return azure.require(call.resource_id.rpartition(f"/{_PART}/")[0])


def _find(policy: Resource, name: str) -> JsonObject | None:
    held: list[JsonObject] = policy.properties[_PART]
    return next((each for each in held if str(each["name"]).lower() == name.lower()), None)


def put_definition(azure: Kernel, call: Call) -> Response:
    policy, name = _policy_of(azure, call), call.params["definition"]
    before = _find(policy, name)
    made = _definition(policy.id, name, call.properties, azure.world.etag())
    policy.properties[_PART] = [each for each in policy.properties[_PART] if each is not before] + [made]
    headers = _begin(azure, call, policy)
    return Response.of(201 if before is None else 200, made, headers)


def get_definition(azure: Kernel, call: Call) -> Response:
    found = _find(_policy_of(azure, call), call.params["definition"])
    if found is None:
        raise answers.not_found(call.resource_id)
    return Response.of(200, found, {"ETag": str(found["etag"])})


def list_definitions(azure: Kernel, call: Call) -> Response:
    return Response.of(200, {"value": azure.require(call.resource_id).properties[_PART]})


def delete_definition(azure: Kernel, call: Call) -> Response:
    policy, name = _policy_of(azure, call), call.params["definition"]
    if _find(policy, name) is None:
        return Response.empty(204)

    def finish(_at: datetime) -> None:
        held: list[JsonObject] = policy.properties[_PART]
        policy.properties[_PART] = [each for each in held if str(each["name"]).lower() != name.lower()]
        answers.stamp(azure, policy.body, "Succeeded")

    seconds = azure.durations.security_group
    operation = azure.begin(call, NETWORK_DELETE, location=policy.location, seconds=seconds, finish=finish)
    return Response.empty(202, operation.headers)


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Network/serviceEndpointPolicies"
_POLICY = _GROUP + "/{policy}"
_DEFINITION = _POLICY + "/serviceEndpointPolicyDefinitions/{definition}"

ROUTES = (
    Route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/serviceEndpointPolicies", list_policies),
    Route("GET", _GROUP, list_policies),
    Route("PUT", _POLICY, put_policy),
    Route("GET", _POLICY, get_policy),
    Route("DELETE", _POLICY, delete_policy),
    Route("GET", _POLICY + "/serviceEndpointPolicyDefinitions", list_definitions),
    Route("PUT", _DEFINITION, put_definition),
    Route("GET", _DEFINITION, get_definition),
    Route("DELETE", _DEFINITION, delete_definition),
)
