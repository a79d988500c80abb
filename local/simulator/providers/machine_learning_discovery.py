"""
The discovery service of machine learning registries: where a registry's data plane is.

Member names are those that client libraries read; ASSUMED are the values of the hosts. The service answers a caller who
may not read the registry as if there might be none.
"""

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.providers.machine_learning_bodies import TYPE, user_error
from local.simulator.providers.machine_learning_links import internal_id, region_host, regions_of
from local.simulator.routing import Route
from local.simulator.wire import Response
from local.simulator.world import Resource


def public_base(azure: Kernel, region: str) -> str:
    """Address of the regional service; the simulator's own when it runs as a server."""
    if azure.endpoint == azure.cloud.resource_manager:
        return f"https://{region}.{azure.cloud.machine_learning_suffix}"
    return azure.endpoint


def discover(azure: Kernel, call: Call) -> Response:
    caller = azure.rbac.caller(call.request.header("Authorization"), azure.world.now)
    name = call.params["registry"]
    registry = _named(azure, name)
    if registry is None or not azure.rbac.allows(caller, f"{TYPE}/read", registry.id):
        raise user_error(403, "Forbidden", f"User/tenant/subscription is not allowed to access registry {name}")
    regions = regions_of(registry)
    _, subscription, _, group, *_ = registry.id.strip("/").split("/")
    body = {
        "registryName": registry.name,
        "tenantId": azure.tenant_id,
        "primaryRegion": registry.location,
        "regions": regions,
        "subscriptionId": subscription,
        "resourceGroup": group,
        "workspaceName": internal_id(registry.id),
        "primaryRegionResourceProviderUri": f"https://cert-{registry.location}.experiments.azureml.net/",
        "registryFqdns": {region: {"uri": f"https://{region_host(azure, registry, region)}/"} for region in regions},
    }
    return Response.of(200, body)


def _named(azure: Kernel, name: str) -> Resource | None:
    return next((each for each in azure.world.of_type(TYPE) if each.name.lower() == name.lower()), None)


ROUTES = (
    Route("GET", "/registrymanagement/v1.0/registries/{registry}/discovery", discover, action="-", anonymous=True),
)
