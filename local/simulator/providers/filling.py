"""
Completes resources that came into the world with less than the service would show.

A seed document may name a storage account by its id and location only; this gives it what its creation would have given
it, and never changes what the document says. A registry whose regions name no accounts gets its managed group and
everything in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.simulator.kernel import Kernel
from local.simulator.providers import container_registry_bodies, machine_learning_bodies, storage_bodies, workspaces
from local.simulator.providers import container_registry_replications as replications
from local.simulator.providers import machine_learning as registries
from local.simulator.providers.container_registry import system_data
from local.simulator.rbac import OWNER
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

DEFAULT_LOCATION = "westeurope"


def fill(azure: Kernel, resource: Resource) -> None:
    """Give *resource* the members it lacks; types that need none stay as they are."""
    filler = _FILLERS.get(resource.type.lower())
    if filler is not None:
        resource.body.setdefault("location", DEFAULT_LOCATION)
        filler(azure, resource)


def _storage(azure: Kernel, account: Resource) -> None:
    made = storage_bodies.new_account(account.id, account.body, suffix=azure.cloud.storage_suffix, now=azure.world.now)
    given = account.properties.get("networkAcls")
    account.body = _merged(made, account.body)
    if given is not None:
        account.properties["networkAcls"] = storage_bodies.network_acls({"defaultAction": "Allow", **given})


def _container_registry(azure: Kernel, registry: Resource) -> None:
    request = {"sku": {"name": "Premium"}, **registry.body}
    made = container_registry_bodies.new_registry(
        registry.id,
        {name: value for name, value in request.items() if name != "properties"},
        suffix=azure.cloud.registry_suffix,
        now=azure.world.now,
        system_data=system_data(azure, OWNER),
    )
    registry.body = _merged(made, registry.body)
    replications.add_home_replication(azure, registry)


def _registry(azure: Kernel, registry: Resource) -> None:
    given = registry.body
    if not given["properties"].get("regionDetails"):
        given["properties"]["regionDetails"] = [{"location": given["location"]}]
    if _names_its_parts(given["properties"]):
        made = registries.new_body(azure, registry.id, given)
        registry.body = _merged(made, given)
        return
    made = registries.make(azure, registry.id, given).body
    kept = {name: value for name, value in given["properties"].items() if name != "regionDetails"}
    registry.body = _merged(made, {**given, "properties": kept})


def _names_its_parts(properties: Mapping[str, Any]) -> bool:
    if not (properties.get("managedResourceGroup") or {}).get("resourceId"):
        return False
    details = properties["regionDetails"]
    return all(machine_learning_bodies.has_ids(each) for each in details)


def _workspace(azure: Kernel, workspace: Resource) -> None:
    made = workspaces.new_workspace(azure, workspace.id, workspace.body, creator=OWNER)
    workspace.body = _merged(made, workspace.body)


def _merged(made: JsonObject, given: JsonObject) -> JsonObject:
    """What the document says wins, member by member, on the top level and inside `properties`."""
    return {**made, **given, "properties": {**made["properties"], **given.get("properties", {})}}


_FILLERS: dict[str, Callable[[Kernel, Resource], None]] = {
    storage_bodies.TYPE.lower(): _storage,
    container_registry_bodies.TYPE.lower(): _container_registry,
    machine_learning_bodies.TYPE.lower(): _registry,
    workspaces.TYPE.lower(): _workspace,
}
