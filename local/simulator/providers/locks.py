"""Microsoft.Authorization/locks: locks on subscriptions, groups and resources; what they forbid is in `simulator.locks`."""

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.locks import LOCKS, READ_ONLY
from local.simulator.paging import page
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response

_LEVELS = ("CanNotDelete", READ_ONLY)


def put_lock(azure: Kernel, call: Call) -> Response:
    level = str(call.properties.get("level") or "")
    if level not in _LEVELS:
        raise ArmError(
            400,
            "LockLevelNotSupported",
            f"The lock level '{level}' is not supported. Supported levels are '{', '.join(_LEVELS)}'.",
            shape=Shape.GATEWAY,
        )
    known = azure.world.get(call.resource_id)
    properties: JsonObject = {"level": level}
    if call.properties.get("notes"):
        properties["notes"] = call.properties["notes"]
    body: JsonObject = {"properties": properties, "id": call.resource_id, "type": LOCKS, "name": call.params["lock"]}
    azure.world.put(body)
    return Response.of(201 if known is None else 200, body)


def get_lock(azure: Kernel, call: Call) -> Response:
    found = azure.world.get(call.resource_id)
    if found is None:
        name = call.params["lock"]
        raise ArmError(404, "LockNotFound", f"The lock '{name}' could not be found.", shape=Shape.GATEWAY)
    return Response.of(200, found.body)


def list_locks(azure: Kernel, call: Call) -> Response:
    """Locks at the scope and below it."""
    below = f"{call.params['scope'].lower().rstrip('/')}/"
    return page(call, azure.endpoint, (each.body for each in azure.world.of_type(LOCKS) if each.key.startswith(below)))


def delete_lock(azure: Kernel, call: Call) -> Response:
    return Response.empty(200 if azure.world.delete(call.resource_id) else 204)


_LIST = "{scope}/providers/Microsoft.Authorization/locks"

ROUTES = (
    Route("GET", _LIST, list_locks),
    Route("PUT", _LIST + "/{lock}", put_lock),
    Route("GET", _LIST + "/{lock}", get_lock),
    Route("DELETE", _LIST + "/{lock}", delete_lock),
)
