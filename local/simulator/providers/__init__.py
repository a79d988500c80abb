"""
Resource providers of the simulated Azure, one module each.

A module has `ROUTES: tuple[Route, ...]` and may have `install(azure: Kernel) -> None`, called once after the routes of
all modules are known.
"""

import importlib
from importlib.util import find_spec

from local.simulator.kernel import Kernel

MODULES = (
    "resources",
    "identity",
    "network",
    "private_endpoints",
    "private_dns",
    "event_grid",
    "storage",
    "container_registry",
    "machine_learning",
    "workspaces",
)


def install(azure: Kernel) -> None:
    """Give *azure* every provider's routes and hooks."""
    found = [name for name in MODULES if find_spec(f"{__name__}.{name}") is not None]
    modules = [importlib.import_module(f"{__name__}.{name}") for name in found]
    for module in modules:
        azure.add_routes(module.ROUTES)
    for module in modules:
        hook = getattr(module, "install", None)
        if hook is not None:
            hook(azure)
