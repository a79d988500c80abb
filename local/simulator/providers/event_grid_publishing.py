"""
The data plane of custom topics: who may publish what, and what the topic says to everything else.

Answers follow "Publish events to Azure Event Grid custom topics" (statuses, sizes, the form of an error). ASSUMED are the
sentences, and 403 for a token without the right to send. Signed tokens (aeg-sas-token) are not simulated: 501. A topic is
found by its host name, or, behind the simulator's own server, by the path that its `endpoint` shows.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.event_grid_events import Event, Schema
from local.simulator.event_grid_subscriptions import TOPIC_TYPE
from local.simulator.kernel import Kernel
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

SEND = "Microsoft.EventGrid/events/send/action"
"""The data action of the built-in role EventGrid Data Sender."""
MOST_BYTES = 1024 * 1024
"""Of a request, and of one event in it."""

_BATCH, _SINGLE, _PLAIN = "application/cloudevents-batch+json", "application/cloudevents+json", "application/json"
_CLOUD_MEMBERS = ("id", "source", "specversion", "type")
_GRID_MEMBERS = ("id", "subject", "eventType", "eventTime", "dataVersion")


def topic_endpoint(azure: Kernel, name: str, location: str) -> str:
    """Where a topic is published to; below the simulator's own address when it runs as a server."""
    if azure.endpoint != azure.cloud.resource_manager:
        return f"{azure.endpoint}/topics/{name.lower()}/api/events"
    return f"https://{name.lower()}.{location}-1.{azure.cloud.event_grid_suffix}/api/events"


def publish(azure: Kernel, call: Call) -> Response:
    topic = _topic(azure, call)
    _authorise(azure, call, topic)
    if len(call.request.body) > MOST_BYTES:
        raise _refusal(413, "RequestEntityTooLarge", f"The maximum size ({MOST_BYTES}) has been exceeded.")
    for event in _events(azure, call, topic):
        azure.events.publish(topic.id, event)
    return Response.empty(200)


def _topic(azure: Kernel, call: Call) -> Resource:
    host = (urlsplit(call.request.url).hostname or "").lower()
    name = call.params.get("topic", host.partition(".")[0]).lower()
    for each in azure.world.of_type(TOPIC_TYPE):
        if each.name.lower() == name:
            return each
    raise _refusal(404, "NotFound", f"Topic {name} was not found.")


def _authorise(azure: Kernel, call: Call, topic: Resource) -> None:
    """A key, or a token of somebody who may send."""
    request = call.request
    if key := request.header("aeg-sas-key"):
        if topic.properties.get("disableLocalAuth") or key not in topic.private["keys"].values():
            raise _refusal(401, "Unauthorized", f"The request authorization key is not authorized for {topic.name}.")
        return
    if request.header("aeg-sas-token"):
        raise ArmError(501, "NotSimulated", "The simulated Azure takes no shared access signatures for topics.")
    if not request.header("Authorization"):
        raise _refusal(
            401,
            "Unauthorized",
            "Request must contain one of the following authorization signature: aeg-sas-token, aeg-sas-key.",
        )
    caller = azure.rbac.caller(request.header("Authorization"), azure.world.now)
    if not azure.rbac.demand_data(caller, SEND, topic.id):
        raise _refusal(
            403,
            "Forbidden",
            "The principal associated with access token presented with the incoming request does not have permission to "
            f"send data to {topic.id}.",
        )


def _events(azure: Kernel, call: Call, topic: Resource) -> list[Event]:
    cloud = topic.properties.get("inputSchema") == Schema.CLOUD_EVENTS
    kind = call.request.header("Content-Type").partition(";")[0].strip().lower()
    if kind not in ({_BATCH, _SINGLE} if cloud else {_PLAIN}):
        raise _refusal(400, "BadRequest", f"The content type {kind or '(none)'} does not fit the topic's input schema.")
    try:
        found = call.request.json()
    except ValueError:
        raise _refusal(400, "BadRequest", "The request body is not JSON.") from None
    listed = [found] if kind == _SINGLE else found
    if not isinstance(listed, list) or not all(isinstance(each, Mapping) for each in listed):
        raise _refusal(400, "BadRequest", "The request body is not an array of events.")
    return [_event(azure, each, topic, cloud=cloud) for each in listed]


def _event(azure: Kernel, given: Mapping[str, Any], topic: Resource, *, cloud: bool) -> Event:
    missing = [name for name in (_CLOUD_MEMBERS if cloud else _GRID_MEMBERS) if not given.get(name)]
    if missing:
        raise _refusal(400, "BadRequest", f"This event misses the required members {', '.join(missing)}.")
    if cloud and given["specversion"] != "1.0":
        raise _refusal(400, "BadRequest", f"The specversion {given['specversion']} is not supported.")
    data: JsonObject = given.get("data") or {}
    moment = _moment(str(given.get("time" if cloud else "eventTime") or "")) or azure.world.now
    return Event(
        id=str(given["id"]),
        source=str(given["source"]) if cloud else topic.id,
        subject=str(given.get("subject") or ""),
        type=str(given["type"] if cloud else given["eventType"]),
        time=moment,
        data=data,
        data_version=str(given.get("dataVersion") or ""),
    )


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise _refusal(400, "BadRequest", f"{json.dumps(text[:40])} is no timestamp.") from None


def _refusal(status: int, code: str, message: str) -> ArmError:
    return ArmError(status, code, message, details=[{"code": code, "message": message}])


ROUTES = (
    Route("POST", "/api/events", publish, action="-", anonymous=True),
    Route("POST", "/topics/{topic}/api/events", publish, action="-", anonymous=True),
)
