"""
Resource providers of the simulated Azure, one module each.

A module has `ROUTES: tuple[Route, ...]` and may have `install(azure: Kernel) -> None`, called once after the routes of
all modules are known.
"""

from types import ModuleType

from local.simulator.kernel import Kernel
from local.simulator.providers import (
    container_registry,
    event_grid,
    identity,
    locks,
    machine_learning,
    network,
    network_interfaces,
    online_endpoints,
    permissions,
    private_dns,
    private_endpoints,
    resource_graph,
    resources,
    security_groups,
    service_endpoint_policies,
    storage,
    subnets,
    workspaces,
)

MODULES: tuple[ModuleType, ...] = (
    resources,
    identity,
    locks,
    permissions,
    network,
    subnets,
    security_groups,
    service_endpoint_policies,
    private_endpoints,
    network_interfaces,
    online_endpoints,
    private_dns,
    event_grid,
    storage,
    container_registry,
    machine_learning,
    workspaces,
    resource_graph,
)


def install(azure: Kernel) -> None:
    """Give *azure* every provider's routes and hooks."""
    for module in MODULES:
        azure.add_routes(module.ROUTES)
    for module in MODULES:
        hook = getattr(module, "install", None)
        if hook is not None:
            hook(azure)
