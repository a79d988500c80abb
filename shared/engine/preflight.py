"""
Look for deny assignments before the first write of a chain.

Only when something in the managed resource group is to be written, and once per request: the answer stays in the row until
somebody asks again. Not being allowed to look is worth a finding and stops nothing.
"""

from dataclasses import replace

from shared.core.denials import Denials
from shared.core.errors import AccessDenied, MissingPermission
from shared.core.lockdown import asks_closing
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry
from shared.core.sharing import writes_inside
from shared.engine.ports import ControlPlane
from shared.engine.work import Work


async def preflight(
    work: Work, registry: Registry, *, plane: ControlPlane, policy: IsolationPolicy, principal: str
) -> Registry:
    """Give *registry* back with the deny assignments that reach its managed group, where they matter."""
    parts = [target for target in registry.targets if target.id != registry.id]
    to_close = any(part.access is Access.OPEN and asks_closing(part, policy) for part in parts)
    if not to_close and not writes_inside(registry, policy):
        return registry
    if work.row.denials is None or work.row.denials.generation != work.row.generation:
        work.update(denials=await _read(work, registry, plane, principal))
    return replace(registry, denials=work.row.denials)


async def _read(work: Work, registry: Registry, plane: ControlPlane, principal: str) -> Denials:
    unread = Denials(principal=principal, generation=work.row.generation)
    try:
        found = await work.retrier.call(lambda: plane.read_denials(registry.managed_group))
    except (AccessDenied, MissingPermission) as error:
        return replace(unread, problem=error.sentence)
    return replace(unread, assignments=found)
