"""
Topics of Event Grid.

A system topic stands for a publisher inside Azure; to a custom topic anybody with a key or a role may publish.
"""

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.event_grid_events import NOTIFICATIONS_TOPIC_TYPE, RESOURCES_TOPIC_TYPES
from local.simulator.event_grid_subscriptions import SYSTEM_TOPIC_TYPE, TOPIC_TYPE
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.providers.event_grid_publishing import topic_endpoint
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response

_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.EventGrid"
_SUBSCRIPTION = "/subscriptions/{sub}/providers/Microsoft.EventGrid"
SYSTEM_ITEM = _GROUP + "/systemTopics/{topic}"
CUSTOM_ITEM = _GROUP + "/topics/{topic}"
_KEY_LENGTH = 43


def put_system(azure: Kernel, call: Call) -> Response:
    """One system topic per source and type; a global source demands the location `global`."""
    properties = call.properties
    source, kind = str(properties.get("source") or ""), str(properties.get("topicType") or "")
    if not source or not kind:
        raise ArmError(400, "InvalidRequest", "A system topic needs properties.source and properties.topicType.")
    if kind.lower() not in (*RESOURCES_TOPIC_TYPES, NOTIFICATIONS_TOPIC_TYPE):
        raise ArmError(501, "NotSimulated", f"The simulated Azure publishes nothing for the topic type {kind}.")
    location = str((call.body or {}).get("location") or "")
    if location.lower() != "global":
        raise ArmError(400, "InvalidRequest", f"System topics of type {kind} are in the location global.")
    known = azure.world.get(call.resource_id)
    _refuse_second_topic(azure, call, source, kind)
    body: JsonObject = {
        "id": call.resource_id,
        "name": call.params["topic"],
        "type": SYSTEM_TOPIC_TYPE,
        "location": location,
        "tags": (call.body or {}).get("tags"),
        "systemData": None,
        "properties": {
            "provisioningState": "Succeeded",
            "source": source,
            "topicType": kind,
            "metricResourceId": azure.world.guid() if known is None else known.properties["metricResourceId"],
        },
    }
    return Response.of(200 if known is not None else 201, azure.world.put(body).body)


def _refuse_second_topic(azure: Kernel, call: Call, source: str, kind: str) -> None:
    for each in azure.world.of_type(SYSTEM_TOPIC_TYPE):
        same = str(each.properties["source"]).lower() == source.lower()
        if same and each.key != call.resource_id.lower() and str(each.properties["topicType"]).lower() == kind.lower():
            raise ArmError(
                400,
                "InvalidRequest",
                f"Only one system topic is allowed per source. The source {source} already has {each.id}.",
            )


def put_custom(azure: Kernel, call: Call) -> Response:
    known = azure.world.get(call.resource_id)
    location = str((call.body or {}).get("location") or "").replace(" ", "").lower()
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    name = call.params["topic"]
    asked = call.properties
    body: JsonObject = {
        "id": call.resource_id,
        "name": name,
        "type": TOPIC_TYPE,
        "location": location,
        "tags": (call.body or {}).get("tags") or {},
        "properties": {
            "provisioningState": "Succeeded",
            "endpoint": topic_endpoint(azure, name, location),
            "inputSchema": asked.get("inputSchema") or "EventGridSchema",
            "publicNetworkAccess": asked.get("publicNetworkAccess") or "Enabled",
            "disableLocalAuth": bool(asked.get("disableLocalAuth")),
        },
    }
    keys = {"key1": azure.world.token(_KEY_LENGTH) + "=", "key2": azure.world.token(_KEY_LENGTH) + "="}
    resource = azure.world.put(body, private=None if known is not None else {"keys": keys})
    return Response.of(200 if known is not None else 201, resource.body)


def get(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).body)


def delete(azure: Kernel, call: Call) -> Response:
    return Response.empty(200 if azure.world.delete(call.resource_id) else 204)


def list_keys(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).private["keys"])


def _list(kind: str) -> tuple[Route, Route]:
    tail = kind.rsplit("/", 1)[-1]

    def in_group(azure: Kernel, call: Call) -> Response:
        return page(call, azure.endpoint, (each.body for each in azure.world.children(call.resource_id, kind)))

    def in_subscription(azure: Kernel, call: Call) -> Response:
        return page(call, azure.endpoint, (each.body for each in azure.world.of_type(kind, call.subscription)))

    return Route("GET", f"{_GROUP}/{tail}", in_group), Route("GET", f"{_SUBSCRIPTION}/{tail}", in_subscription)


ROUTES = (
    Route("PUT", SYSTEM_ITEM, put_system),
    Route("GET", SYSTEM_ITEM, get),
    Route("DELETE", SYSTEM_ITEM, delete),
    Route("PUT", CUSTOM_ITEM, put_custom),
    Route("GET", CUSTOM_ITEM, get),
    Route("DELETE", CUSTOM_ITEM, delete),
    Route("POST", CUSTOM_ITEM + "/listKeys", list_keys),
    *_list(SYSTEM_TOPIC_TYPE),
    *_list(TOPIC_TYPE),
)
