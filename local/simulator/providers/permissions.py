"""
Microsoft.Authorization/permissions: what a caller may do at a scope, by its role assignments there and above.

Deny assignments are not told. Documented for resource groups and resources; a subscription answers in the same way here,
which is an assumption.
"""

from local.simulator.call import Call
from local.simulator.kernel import Kernel
from local.simulator.paging import page
from local.simulator.rbac import Assignment
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response


def list_permissions(azure: Kernel, call: Call) -> Response:
    wanted = f"{call.params['scope'].lower().rstrip('/')}/"
    held = (
        each
        for each in call.principal.assignments
        if wanted.lstrip("/").startswith(f"{each.scope.lower().strip('/')}/".lstrip("/"))
    )
    return page(call, azure.endpoint, (_entry(each) for each in held))


def _entry(assignment: Assignment) -> JsonObject:
    return {
        "actions": list(assignment.actions),
        "notActions": list(assignment.not_actions),
        "dataActions": list(assignment.data_actions),
        "notDataActions": [],
    }


ROUTES = (Route("GET", "{scope}/providers/Microsoft.Authorization/permissions", list_permissions),)
"""Only who holds Microsoft.Authorization/permissions/read is told."""
