"""
Management locks: what may not be deleted, or not be changed at all.

A lock holds for its scope and everything below; a deletion is refused, too, when something below is locked. Told by
Resource Manager itself before the provider hears of the call (recorded: azcli2307, java2011).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape

if TYPE_CHECKING:
    from local.simulator.kernel import Kernel

LOCKS = "Microsoft.Authorization/locks"
READ_ONLY = "ReadOnly"
_MARKER = f"/providers/{LOCKS}/"


def scope_of(lock_id: str) -> str:
    """What a lock holds, in the casing of its id."""
    return lock_id[: lock_id.lower().rindex(_MARKER.lower())]


def demand_unlocked(azure: "Kernel", call: Call) -> None:
    """
    Let a write pass.

    Raises:
        ArmError: 409 ScopeLocked that names every locked scope.
    """
    method = call.request.method
    if method in ("GET", "HEAD") or call.route.type == LOCKS:
        return
    held = list(dict.fromkeys(_holding(azure, call.resource_id, deletes=method == "DELETE")))
    if held:
        verb = "delete" if method == "DELETE" else "write"
        named = ",".join(held)
        raise ArmError(
            409,
            "ScopeLocked",
            f"The scope '{call.resource_id}' cannot perform {verb} operation because following scope(s) are locked: "
            f"'{named}'. Please remove the lock and try again.",
            shape=Shape.GATEWAY,
        )


def _holding(azure: "Kernel", resource_id: str, *, deletes: bool) -> Iterator[str]:
    wanted = resource_id.lower() + "/"
    for lock in azure.world.of_type(LOCKS):
        scope = scope_of(lock.id)
        around = wanted.startswith(scope.lower() + "/")
        inside = f"{scope.lower()}/".startswith(wanted)
        if (deletes and inside) or (around and (deletes or lock.properties.get("level") == READ_ONLY)):
            yield scope
