"""
Microsoft.MachineLearningServices/registries.

As recorded: PUT (creation and update) and DELETE answer 202 without a body; there is no provisioningState and no ETag.
A PATCH knows identity, sku and tags only, so that public access is changed by a PUT of everything else. While a
registry is being created its reads first say 404 and then show regions without ids (ASSUMED; nobody recorded them).
"""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.providers import machine_learning_bodies as bodies
from local.simulator.providers import machine_learning_discovery as discovery
from local.simulator.providers import machine_learning_links as links
from local.simulator.providers.machine_learning_bodies import TYPE, user_error
from local.simulator.providers.machine_learning_creation import Estate
from local.simulator.providers.machine_learning_operations import REGISTRY, demand_api_version
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response
from local.simulator.world import Resource

PAGE_SIZE = 100
INVISIBLE = 0.25
"""Share of the creation during which a read says 404."""

_UNSETTLED = timedelta(minutes=2)
"""After its creation a read may still be told 404; recorded two seconds after, the length is an assumption."""

_SETTINGS_UNKNOWN_TO = ("2024-07-01-preview", "2024-10-01", "2024-10-01-preview")
_PATCHABLE = frozenset(("identity", "sku", "tags"))


# -- reading -----------------------------------------------------------------------------------------------------------


def get(azure: Kernel, call: Call) -> Response:
    registry = _visible(azure, call)
    demand_api_version(call, "registries", registry.location)
    if azure.world.now <= registry.private.pop("missing_once_until", azure.world.now - _UNSETTLED):
        raise bodies.registry_not_found(registry.name, registry.location)
    return Response.of(200, shown(azure, registry, call.api_version))


def list_in_group(azure: Kernel, call: Call) -> Response:
    return _page(azure, call, azure.world.children(call.resource_id, TYPE))


def list_in_subscription(azure: Kernel, call: Call) -> Response:
    return _page(azure, call, azure.world.of_type(TYPE, call.subscription))


def _page(azure: Kernel, call: Call, registries: Any) -> Response:
    rows = (shown(azure, each, call.api_version) for each in registries if _is_visible(azure, each))
    return page(call, azure.endpoint, rows, size=PAGE_SIZE)


def shown(azure: Kernel, registry: Resource, api_version: str) -> JsonObject:
    """The registry as *api_version* answers it: with its connections and its discovery URL."""
    properties = dict(registry.properties)
    base = discovery.public_base(azure, registry.location)
    properties["discoveryUrl"] = f"{base}/registrymanagement/v1.0/registries/{registry.name}/discovery"
    spelling, rows = links.summaries(azure, registry, api_version)
    shape = {spelling if name == "privateEndpointConnections" else name: value for name, value in properties.items()}
    shape[spelling] = rows
    return {**registry.body, "properties": shape}


def _is_visible(azure: Kernel, registry: Resource) -> bool:
    since = registry.private.get("visible")
    return since is None or datetime.fromisoformat(since) <= azure.world.now


def _visible(azure: Kernel, call: Call) -> Resource:
    registry = azure.require(call.resource_id)
    if not _is_visible(azure, registry):
        raise bodies.registry_not_found(registry.name, registry.location)
    return registry


# -- creating and updating ---------------------------------------------------------------------------------------------


def put(azure: Kernel, call: Call) -> Response:
    body = call.body or {}
    location = _region(str(body.get("location") or ""))
    demand_api_version(call, "registries", location)
    _refuse_null_ids(body)
    for identity in (body.get("identity") or {}).get("userAssignedIdentities") or ():
        azure.demand_linked(call, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", identity)
    registry = azure.world.get(call.resource_id)
    if registry is None:
        return _create(azure, call, body, location)
    if registry.private.get("creating"):
        raise user_error(409, "Conflict", f"Registry {registry.name} is being created.")
    if location and location != registry.location:
        raise _other_location(registry, location)
    return _update(azure, call, registry)


def _create(azure: Kernel, call: Call, body: JsonObject, location: str) -> Response:
    name = call.params["registry"]
    bodies.refuse_bad_name(name)
    if not location:
        raise ArmError(
            400, "LocationRequired", "The location property is required for this definition.", shape=Shape.GATEWAY
        )
    regions = {each["location"]: bodies.storage_asked(each) for each in bodies.regions_asked(body)}
    if location not in regions:
        raise user_error(400, "BadArgument", f"The regionDetails of registry {name} lack its location {location}.")
    estate = Estate.planned(azure, call.resource_id, location, _primary_first(regions, location))
    seconds = azure.durations.registry_create
    registry = azure.world.put(
        new_body(azure, call.resource_id, body),
        private={"creating": True, "visible": (azure.world.now + timedelta(seconds=seconds * INVISIBLE)).isoformat()},
    )
    registry.properties["regionDetails"] = [
        bodies.region_details(region, asked, None, None) for region, asked in estate.regions.items()
    ]
    estate.schedule(azure, registry.properties["publicNetworkAccess"], seconds)

    def failed() -> None:
        azure.world.delete(registry.id)

    operation = azure.begin(
        call,
        REGISTRY,
        location=location,
        seconds=seconds,
        finish=lambda _at: complete(azure, registry.id, estate),
        fail=lambda _at, _error: failed(),
        result=lambda: Response.of(200, shown(azure, azure.require(registry.id), call.api_version)),
    )
    return Response.empty(202, operation.headers)


def make(azure: Kernel, registry_id: str, body: JsonObject) -> Resource:
    """A finished registry at once, as if its creation lay in the past."""
    location = _region(str(body["location"]))
    regions = {each["location"]: bodies.storage_asked(each) for each in bodies.regions_asked(body)}
    estate = Estate.planned(azure, registry_id, location, _primary_first(regions, location))
    registry = azure.world.put(new_body(azure, registry_id, body))
    complete(azure, registry.id, estate)
    registry.private = {}
    return registry


def complete(azure: Kernel, registry_id: str, estate: Estate) -> None:
    """The creation ends: everything is there, and the registry names it."""
    registry = azure.world.get(registry_id)
    if registry is None:
        return
    estate.complete(azure, registry.properties["publicNetworkAccess"])
    estate.deny(azure, registry.properties["managedResourceGroupSettings"])
    registry.properties["regionDetails"] = estate.details()
    registry.properties["managedResourceGroup"] = {"resourceId": estate.group_id}
    unsettled = {"missing_once_until": azure.world.now + _UNSETTLED}
    registry.private = unsettled if azure.options.registry_missing_once else {}
    azure.world.touch(registry)


def _update(azure: Kernel, call: Call, registry: Resource) -> Response:
    """
    A PUT on an existing registry replaces what it mentions.

    `managedResourceGroupSettings` that are not mentioned, or that the api-version does not know, are dropped; a new
    region is added, a missing one stays.
    """
    body = deepcopy(call.body or {})
    asked = {each["location"]: bodies.storage_asked(each) for each in bodies.regions_asked(body)}
    grows = set(asked) - set(links.regions_of(registry))
    access = _public_access(body, registry.properties["publicNetworkAccess"])
    seconds = azure.durations.registry_create if grows else azure.durations.registry_update

    def finish() -> None:
        if azure.world.get(registry.id) is None:
            return
        estate = Estate.of(registry)
        estate.plan_regions(azure, asked)
        _apply(azure, call, registry, body, access)
        if grows:
            estate.complete(azure, access)
            registry.properties["regionDetails"] = estate.details()
            azure.links.members_changed(registry.id)
        estate.deny(azure, registry.properties["managedResourceGroupSettings"])

    operation = azure.begin(
        call,
        REGISTRY,
        location=registry.location,
        seconds=seconds,
        finish=lambda _at: finish(),
        result=lambda: Response.of(200, shown(azure, azure.require(registry.id), call.api_version)),
    )
    return Response.empty(202, operation.headers)


def _apply(azure: Kernel, call: Call, registry: Resource, body: JsonObject, access: str) -> None:
    properties = registry.properties
    asked: Mapping[str, Any] = body.get("properties") or {}
    before = properties["publicNetworkAccess"]
    properties["publicNetworkAccess"] = access
    known = call.api_version not in _SETTINGS_UNKNOWN_TO
    properties["managedResourceGroupSettings"] = asked.get("managedResourceGroupSettings") if known else None
    if body.get("tags") is not None:
        registry.body["tags"] = dict(body["tags"])
    registry.body["identity"] = _identity(azure, body, registry.body.get("identity"))
    azure.world.touch(registry)
    if before != access and azure.options.public_access_propagates:
        azure.world.later(azure.durations.propagation, lambda _at: _propagate(azure, registry.id))


def _propagate(azure: Kernel, registry_id: str) -> None:
    registry = azure.world.get(registry_id)
    if registry is not None:
        Estate.of(registry).set_public_access(azure, registry.properties["publicNetworkAccess"])


def patch(azure: Kernel, call: Call) -> Response:
    registry = _visible(azure, call)
    demand_api_version(call, "registries", registry.location)
    body = call.body or {}
    unknown = sorted(set(body) - _PATCHABLE)
    if unknown:
        raise user_error(
            400, "BadArgument", f"Could not find member '{unknown[0]}' on object of type 'PartialRegistry'."
        )
    if body.get("tags") is not None:
        registry.body["tags"] = dict(body["tags"])
    if body.get("identity"):
        registry.body["identity"] = _identity(azure, body, registry.body.get("identity"))
    azure.world.touch(registry)
    return Response.of(200, shown(azure, registry, call.api_version))


def delete(azure: Kernel, call: Call) -> Response:
    registry = azure.world.get(call.resource_id)
    if registry is None:
        return Response(204)
    demand_api_version(call, "registries", registry.location)

    def finish() -> None:
        found = azure.world.get(call.resource_id)
        if found is None:
            return
        estate = None if found.private.get("creating") else Estate.of(found)
        azure.world.delete(found.id)
        if estate is not None:
            estate.remove(azure)

    operation = azure.begin(
        call,
        REGISTRY,
        location=registry.location,
        seconds=azure.durations.registry_delete,
        finish=lambda _at: finish(),
        result=lambda: Response.empty(200),
    )
    return Response.empty(202, operation.headers)


# -- parts of the body -------------------------------------------------------------------------------------------------


def new_body(azure: Kernel, registry_id: str, body: JsonObject) -> JsonObject:
    """A registry whose parts are not there yet."""
    location = _region(str(body["location"]))
    made = bodies.registry(
        registry_id,
        body,
        regions=(),
        managed_group="",
        api_host=f"{location}.{azure.cloud.machine_learning_suffix}",
        identity=_identity(azure, body, None),
    )
    made["properties"]["managedResourceGroup"] = None
    made["properties"]["publicNetworkAccess"] = _public_access(body, "Enabled")
    return made


def _identity(azure: Kernel, body: Mapping[str, Any], known: Mapping[str, Any] | None) -> JsonObject:
    asked = body.get("identity") or known or {"type": "SystemAssigned"}
    kind = str(asked.get("type") or "SystemAssigned")
    identity: JsonObject = {"type": kind}
    if "systemassigned" in kind.lower():
        identity["principalId"] = (known or {}).get("principalId") or azure.world.guid()
        identity["tenantId"] = azure.tenant_id
    assigned = asked.get("userAssignedIdentities")
    if assigned:
        held = (known or {}).get("userAssignedIdentities") or {}
        identity["userAssignedIdentities"] = {
            each: held.get(each) or {"principalId": azure.world.guid(), "clientId": azure.world.guid()}
            for each in assigned
        }
    return identity


def _public_access(body: Mapping[str, Any], otherwise: str) -> str:
    value = (body.get("properties") or {}).get("publicNetworkAccess")
    if value is None:
        return otherwise
    known = {"enabled": "Enabled", "disabled": "Disabled"}.get(str(value).lower())
    if known is None:
        raise user_error(400, "BadArgument", f"publicNetworkAccess '{value}' is not valid.")
    return known


def _refuse_null_ids(body: Mapping[str, Any]) -> None:
    """An id that is there but null or empty is an error; a valid one is ignored (comments in azure-ai-ml)."""
    for detail in (body.get("properties") or {}).get("regionDetails") or ():
        for account in (*(detail.get("storageAccountDetails") or ()), *(detail.get("acrDetails") or ())):
            for made in account.values():
                if isinstance(made, Mapping) and "armResourceId" in made and not _names_something(made):
                    raise user_error(400, "BadArgument", "Object reference not set to an instance of an object.")


def _names_something(made: Mapping[str, Any]) -> bool:
    return bool((made["armResourceId"] or {}).get("resourceId"))


def _primary_first(regions: dict[str, JsonObject], location: str) -> dict[str, JsonObject]:
    return {location: regions[location], **regions}


def _region(name: str) -> str:
    return name.replace(" ", "").lower()


def _other_location(registry: Resource, location: str) -> ArmError:
    group = registry.id.split("/")[4]
    return ArmError(
        409,
        "InvalidResourceLocation",
        f"The resource '{registry.name}' already exists in location '{registry.location}' in resource group '{group}'. "
        f"A resource with the same name cannot be created in location '{location}'. Please select a new resource name.",
        shape=Shape.GATEWAY,
    )


_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/registries"
_ITEM = _GROUP + "/{registry}"
_SUBSCRIPTION = "/subscriptions/{sub}/providers/Microsoft.MachineLearningServices/registries"

ROUTES = (
    Route("PUT", _ITEM, put),
    Route("PATCH", _ITEM, patch),
    Route("GET", _ITEM, get),
    Route("DELETE", _ITEM, delete),
    Route("GET", _GROUP, list_in_group),
    Route("GET", _SUBSCRIPTION, list_in_subscription),
    *links.ROUTES,
    *discovery.ROUTES,
)


def install(azure: Kernel) -> None:
    links.install(azure)
