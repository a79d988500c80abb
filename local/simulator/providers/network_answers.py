"""What every resource type of Microsoft.Network answers alike: entity tags, lists, deletions, refusals."""

from collections.abc import Callable
from datetime import datetime

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.operations import NETWORK_DELETE
from local.simulator.paging import page
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

type View = Callable[[Kernel, Resource], JsonObject]


def as_stored(_azure: Kernel, resource: Resource) -> JsonObject:
    return resource.body


def shown(azure: Kernel, resource: Resource, view: View = as_stored) -> Response:
    """200 with the resource and its entity tag in the header, as a GET has it."""
    return Response.of(200, view(azure, resource), {"ETag": str(resource.body["etag"])})


def listed(azure: Kernel, call: Call, kind: str, view: View = as_stored) -> Response:
    """The resources of one type in the group, or in the whole subscription."""
    if "rg" in call.params:
        found = azure.world.children(f"/subscriptions/{call.subscription}/resourceGroups/{call.group}", kind)
    else:
        found = azure.world.of_type(kind, call.subscription)
    return page(call, azure.endpoint, (view(azure, each) for each in found))


def stamp(azure: Kernel, body: JsonObject, state: str, *, parts: bool = True) -> None:
    """A new entity tag on a resource and its parts; a new state on it and, unless told otherwise, on its parts."""
    _stamp(body, azure.world.etag(), state, parts=parts)
    azure.world.note(str(body["id"]).lower())


def _stamp(part: JsonObject, etag: str, state: str, *, parts: bool) -> None:
    if "etag" in part:
        part["etag"] = etag
    properties = part.get("properties")
    if not isinstance(properties, dict):
        return
    if "provisioningState" in properties:
        properties["provisioningState"] = state
    for value in properties.values():
        for each in value if isinstance(value, list) else ():
            if isinstance(each, dict):
                _stamp(each, etag, state if parts else _state(each), parts=parts)


def _state(part: JsonObject) -> str:
    properties = part.get("properties")
    return str(properties.get("provisioningState", "")) if isinstance(properties, dict) else ""


def demand_match(call: Call, resource: Resource | None) -> None:
    """
    Honour If-Match and If-None-Match.

    Raises:
        ArmError: 412 PreconditionFailed.
    """
    expected = call.request.header("If-Match")
    current = str(resource.body["etag"]) if resource is not None else ""
    stale = bool(expected) and expected not in ("*", current)
    if stale or (resource is not None and call.request.header("If-None-Match") == "*"):
        raise ArmError(
            412, "PreconditionFailed", f"Precondition failed. Etag provided in header: {expected}", shape=Shape.NETWORK
        )


def delete(
    azure: Kernel, call: Call, *, seconds: float, location: str, before: Callable[[Resource], None] | None = None
) -> Response:
    """
    Begin the deletion of the addressed resource; 204 when there is none.

    Args:
        azure: The world around it.
        call: The DELETE.
        seconds: How long it takes.
        location: Region in the operation URLs.
        before: Raises ArmError when the resource cannot go.
    """
    resource = azure.world.get(call.resource_id)
    if resource is None:
        return Response.empty(204)
    if before is not None:
        before(resource)
    stamp(azure, resource.body, "Deleting")

    def finish(_at: datetime) -> None:
        azure.world.delete(resource.id)

    def fail(_at: datetime, _error: JsonObject) -> None:
        stamp(azure, resource.body, "Failed")

    operation = azure.begin(call, NETWORK_DELETE, location=location, seconds=seconds, finish=finish, fail=fail)
    return Response.empty(202, operation.headers)


def not_found(resource_id: str) -> ArmError:
    """The provider's own 404, for parts of a resource."""
    return ArmError(404, "NotFound", f"Resource {resource_id} not found.", shape=Shape.NETWORK)


def bad_request(code: str, message: str) -> ArmError:
    return ArmError(400, code, message, shape=Shape.NETWORK)


def invalid_reference(referenced: str, by: str) -> ArmError:
    """A resource that a request names is absent or elsewhere (recorded: aso2512)."""
    return bad_request(
        "InvalidResourceReference",
        f"Resource {referenced} referenced by resource {by} was not found. Please make sure that the referenced resource "
        "exists, and that both resources are in the same region.",
    )


def busy(operation: str, resource_id: str, operation_id: str, seconds: int) -> ArmError:
    """429: another operation holds the resource; it says when to come back (recorded: aso2512)."""
    return ArmError(
        429,
        "RetryableError",
        "A retryable error occurred.",
        details=[
            {
                "code": "RetryableErrorDueToAnotherOperation",
                "message": f"Operation {operation} ({operation_id}) is updating resource {resource_id}. The call can be "
                f"retried in {seconds} seconds.",
            }
        ],
        headers={"Retry-After": str(seconds), "x-ms-failure-cause": "service"},
        shape=Shape.NETWORK,
    )


def not_provisioned(referenced: str, by: str, state: str, operation: str) -> ArmError:
    """429 without Retry-After: a referenced resource is still being written (recorded: aso2512, aso2608)."""
    return ArmError(
        429,
        "RetryableError",
        "A retryable error occurred.",
        details=[
            {
                "code": "ReferencedResourceNotProvisioned",
                "message": f"Cannot proceed with operation because resource {referenced} used by resource {by} is not in "
                f"Succeeded state. Resource is in {state} state and the last operation that updated/is updating the "
                f"resource is {operation}.",
            }
        ],
        shape=Shape.NETWORK,
    )
