"""
Microsoft.EventGrid: system topics, custom topics and event subscriptions, as Resource Manager shows them.

Creating a subscription is a long operation that lasts until the webhook has proved that it wants events. Queues, event
hubs and other destinations are not simulated: 501.
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

from local.simulator.call import Call
from local.simulator.errors import ArmError
from local.simulator.event_grid import EventGrid
from local.simulator.event_grid_events import NOTIFICATIONS_TOPIC_TYPE, RESOURCES_TOPIC_TYPES, Schema
from local.simulator.event_grid_filters import problems
from local.simulator.event_grid_handshake import ANSWER_WITHIN
from local.simulator.event_grid_subscriptions import (
    AZURE_FUNCTION,
    EXTENSION_TYPE,
    SYSTEM_TOPIC_TYPE,
    TOPIC_TYPE,
    WEBHOOK,
    destination,
    endpoint_url,
)
from local.simulator.kernel import Kernel
from local.simulator.operations import Operation, OperationState, OperationStyle
from local.simulator.paging import page
from local.simulator.providers import event_grid_publishing as publishing
from local.simulator.providers import event_grid_topics as topics
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

STYLE = OperationStyle(
    status_path="/subscriptions/{subscription}/providers/Microsoft.EventGrid/locations/{location}/operationsStatus/{id}",
    first_retry_after=10,
    result_done_status=200,
)
_SUBSCRIBE = "Microsoft.ResourceNotifications/systemTopics/subscribeToResources/action"


def put(azure: Kernel, call: Call) -> Response:
    body = _normalised(call)
    _refuse_unknown_destination(body["properties"])
    _refuse_bad_filter(body["properties"])
    _demand_notifications(azure, call)
    known = azure.world.get(call.resource_id)
    secret = _secret(body["properties"])
    resource = azure.world.put(body, private={"endpointUrl": secret})
    url = endpoint_url(resource, azure.events.function_url)
    if url is None:
        azure.world.delete(resource.id)
        raise _endpoint_missing(resource)
    return _prove(azure, call, resource, url, known=known is not None)


def _prove(azure: Kernel, call: Call, resource: Resource, url: str, *, known: bool) -> Response:
    """Begin the operation that ends when the endpoint has answered the handshake."""
    needed = destination(resource).get("endpointType") == WEBHOOK
    verdict: dict[str, bool] = {} if needed else {"accepted": True}

    def finish(_at: datetime) -> None:
        found = azure.world.get(resource.id)
        if found is None:
            return
        if "accepted" not in verdict and azure.events.handshakes.awaits_person(resource.id):
            found.properties["provisioningState"] = "AwaitingManualAction"
            return
        if not verdict.get("accepted"):
            found.properties["provisioningState"] = "Failed"
            raise _not_validated(url)
        found.properties["provisioningState"] = "Succeeded"

    resource.properties["provisioningState"] = "Updating" if known else "Creating"
    operation = azure.begin(
        call,
        STYLE,
        location="westeurope",
        seconds=ANSWER_WITHIN.total_seconds() if needed else 0.0,
        finish=finish,
    )
    if needed:
        azure.events.prove_endpoint(resource, url, lambda accepted: _settled(operation, resource, verdict, accepted))
    return Response.of(201, resource.body, operation.headers)


def _settled(operation: Operation, resource: Resource, verdict: dict[str, bool], accepted: bool) -> None:  # noqa: FBT001
    """The endpoint has answered: the poll and the subscription know it before the operation's own end."""
    verdict["accepted"] = accepted
    resource.properties["provisioningState"] = "Succeeded" if accepted else "Failed"
    if operation.running and operation.due is not None:
        operation.state = OperationState.SUCCEEDED if accepted else OperationState.FAILED
        if not accepted:
            operation.error = _not_validated(str(resource.private.get("endpointUrl"))).error_object()


def patch(azure: Kernel, call: Call) -> Response:
    """Filters, labels and the retry policy; the destination is changed with PUT."""
    resource = azure.require(call.resource_id)
    asked = {name: value for name, value in (call.body or {}).items() if name != "destination"}
    changed = {**resource.properties, **deepcopy(asked)}
    _refuse_bad_filter(changed)
    resource.body["properties"] = changed
    azure.world.touch(resource)
    return Response.of(201, resource.body)


def get(azure: Kernel, call: Call) -> Response:
    return Response.of(200, azure.require(call.resource_id).body)


def delete(azure: Kernel, call: Call) -> Response:
    return Response.empty(200 if azure.world.delete(call.resource_id) else 204)


def list_of_scope(azure: Kernel, call: Call) -> Response:
    scope = call.params["scope"]
    return page(call, azure.endpoint, (each.body for each in azure.world.children(scope, EXTENSION_TYPE)))


def list_of_topic(azure: Kernel, call: Call) -> Response:
    topic = azure.require(call.resource_id)
    return page(call, azure.endpoint, (each.body for each in azure.world.children(topic.id)))


def full_url(azure: Kernel, call: Call) -> Response:
    resource = azure.require(call.resource_id)
    return Response.of(200, {"endpointUrl": endpoint_url(resource, azure.events.function_url)})


def validate(azure: Kernel, call: Call) -> Response:
    """Somebody opened the validation URL of a handshake."""
    if azure.events.handshakes.validate_manually(call.request.query.get("id", "")):
        return Response.of(200, "Webhook successfully validated as a subscription endpoint")
    raise ArmError(400, "InvalidValidationCode", "The validation code is not known or no longer valid.")


# -- the body ----------------------------------------------------------------------------------------------------------


def _normalised(call: Call) -> JsonObject:
    """The subscription with its defaults; the URL's secret part is not shown."""
    asked: Mapping[str, Any] = call.properties
    target = deepcopy(dict(asked.get("destination") or {}))
    details: dict[str, Any] = dict(target.get("properties") or {})
    if details.get("endpointUrl"):
        details["endpointBaseUrl"] = str(details["endpointUrl"]).split("?", 1)[0]
    details.setdefault("maxEventsPerBatch", 1)
    details.setdefault("preferredBatchSizeInKilobytes", 64)
    target["properties"] = details
    kept = {name: value for name, value in asked.items() if name not in {"topic", "provisioningState", "destination"}}
    scope = call.params.get("scope") or call.resource_id.rsplit("/", 2)[0]
    properties: JsonObject = {
        "topic": scope,
        "provisioningState": "Creating",
        "destination": target,
        "filter": {"subjectBeginsWith": "", "subjectEndsWith": ""} | dict(asked.get("filter") or {}),
        "labels": asked.get("labels"),
        "eventDeliverySchema": asked.get("eventDeliverySchema") or Schema.EVENT_GRID.value,
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
        | dict(asked.get("retryPolicy") or {}),
    }
    kind = EXTENSION_TYPE if "scope" in call.params else f"{SYSTEM_TOPIC_TYPE}/eventSubscriptions"
    return {
        "id": call.resource_id,
        "name": call.params["subscription"],
        "type": kind,
        "systemData": None,
        "properties": {**{name: deepcopy(value) for name, value in kept.items()}, **properties},
    }


def _secret(properties: JsonObject) -> str | None:
    """Take the full URL out of the body."""
    details = properties["destination"]["properties"]
    url = details.pop("endpointUrl", None)
    return None if url is None else str(url)


# -- refusals ----------------------------------------------------------------------------------------------------------


def _refuse_unknown_destination(properties: Mapping[str, Any]) -> None:
    kind = properties["destination"].get("endpointType")
    if kind in {WEBHOOK, AZURE_FUNCTION}:
        return
    if not kind:
        raise ArmError(400, "InvalidRequest", "The destination of the event subscription is missing.")
    raise ArmError(501, "NotSimulated", f"The simulated Azure delivers to no destination of type {kind}.")


def _refuse_bad_filter(properties: Mapping[str, Any]) -> None:
    schema = properties["eventDeliverySchema"]
    if schema not in set(Schema):
        raise ArmError(400, "InvalidRequest", f"The event delivery schema '{schema}' is not valid.")
    found = problems(properties.get("filter") or {}, Schema(schema))
    if found:
        raise ArmError(400, "InvalidRequest", "Invalid event filter: " + " ".join(found))


def _demand_notifications(azure: Kernel, call: Call) -> None:
    """Subscribing to the notifications family needs a right of its own (documentation)."""
    parent = azure.world.get(call.resource_id.rsplit("/", 2)[0])
    if parent is None or parent.type != SYSTEM_TOPIC_TYPE:
        return
    kind = str(parent.properties.get("topicType") or "").lower()
    if kind == NOTIFICATIONS_TOPIC_TYPE:
        azure.demand_linked(call, _SUBSCRIBE, str(parent.properties["source"]))
    elif kind not in RESOURCES_TOPIC_TYPES:
        raise ArmError(501, "NotSimulated", f"The simulated Azure publishes nothing for the topic type {kind}.")


def _endpoint_missing(resource: Resource) -> ArmError:
    details = destination(resource).get("properties") or {}
    return ArmError(
        400,
        "Endpoint validation",
        f"Destination endpoint not found. Resource details: resourceId: {details.get('resourceId')}. Resource should "
        "pre-exist before attempting this operation.",
    )


def _not_validated(url: str) -> ArmError:
    base = url.split("?", 1)[0]
    return ArmError(
        400,
        "Url validation",
        f"The attempt to validate the provided endpoint {base} failed. For more details, visit "
        "https://aka.ms/esvalidation.",
    )


_EXTENSION = "{scope}/providers/Microsoft.EventGrid/eventSubscriptions"
_TOPIC = topics.SYSTEM_ITEM + "/eventSubscriptions"


def _routes(collection: str) -> tuple[Route, ...]:
    item = collection + "/{subscription}"
    return (
        Route("PUT", item, put),
        Route("PATCH", item, patch),
        Route("GET", item, get),
        Route("DELETE", item, delete),
        Route("POST", item + "/getFullUrl", full_url),
    )


ROUTES = (
    *_routes(_EXTENSION),
    Route("GET", _EXTENSION, list_of_scope),
    *_routes(_TOPIC),
    Route("GET", _TOPIC, list_of_topic),
    Route("GET", "/eventgrid/validate", validate, action="-", anonymous=True),
    *topics.ROUTES,
    *publishing.ROUTES,
)


def install(azure: Kernel) -> None:
    azure.events = EventGrid(
        azure.world, tenant_id=azure.tenant_id, options=azure.options, endpoint=lambda: azure.endpoint
    )
    azure.listeners.append(azure.events.emit)


__all__ = ["ROUTES", "TOPIC_TYPE", "install"]
