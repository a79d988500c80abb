"""
Online endpoints of workspaces and their deployments: lists only, in the shape of the published specification.

They are put into a world by a seed or by scenery; creating one is not simulated and answers 501.
"""

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.routing import Route
from local.simulator.wire import Response

ENDPOINTS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
DEPLOYMENTS = f"{ENDPOINTS}/deployments"


def list_endpoints(azure: Kernel, call: Call) -> Response:
    azure.require(call.resource_id)
    return page(call, azure.endpoint, (each.body for each in azure.world.children(call.resource_id, ENDPOINTS)))


def list_deployments(azure: Kernel, call: Call) -> Response:
    azure.require(call.resource_id)
    return page(call, azure.endpoint, (each.body for each in azure.world.children(call.resource_id, DEPLOYMENTS)))


_WORKSPACE = (
    "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
)

ROUTES = (
    Route("GET", _WORKSPACE + "/onlineEndpoints", list_endpoints),
    Route("GET", _WORKSPACE + "/onlineEndpoints/{endpoint}/deployments", list_deployments),
)
