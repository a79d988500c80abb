"""
Read the security groups and service endpoint policies that the policy names for a registry.

Isolation does not hang on the way out: a group that the app may not read, or that is not there, is told in the report
and keeps no registry from being closed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, Fate, RegistryIsolationError
from shared.core.policy import IsolationPolicy
from shared.core.policy_sections import Egress
from shared.core.registry import Registry
from shared.core.security import EndpointPolicy, WayOut
from shared.engine.gather import all_of, both
from shared.engine.ports import ControlPlane
from shared.engine.retrying import Retrier

_ABSENT = "it does not exist."


async def observe_egress(
    registry: Registry, policy: IsolationPolicy, plane: ControlPlane, retrier: Retrier
) -> Registry:
    """*registry* with what the policy's egress entries for it point to; no request without such an entry."""
    entries = policy.egress_for(registry.id)
    if not entries:
        return registry
    return replace(registry, ways_out=tuple(await all_of(_way_out(entry, plane, retrier) for entry in entries)))


async def _way_out(entry: Egress, plane: ControlPlane, retrier: Retrier) -> WayOut:
    denied: list[ResourceId] = []

    async def read[Found](wanted: ResourceId, call: Callable[[], Awaitable[Found | None]]) -> tuple[Found | None, str]:
        """What *call* gives, or why it gives nothing; passing errors go to the pass, which comes again."""
        try:
            found = await retrier.call(call)
        except AccessDenied as error:
            denied.append(wanted)
            return None, error.sentence
        except RegistryIsolationError as error:
            if error.fate in {Fate.BLOCKED, Fate.PERMANENT}:
                return None, error.sentence
            raise
        return found, "" if found is not None else _ABSENT

    async def read_policy() -> tuple[EndpointPolicy | None, str]:
        wanted = entry.service_endpoint_policy
        return await read(wanted, lambda: plane.read_endpoint_policy(wanted)) if wanted else (None, "")

    (group, problem), (policy, policy_problem) = await both(
        read(entry.nsg, lambda: plane.read_security_group(entry.nsg)), read_policy()
    )
    return WayOut(
        nsg=entry.nsg,
        group=group,
        group_problem=problem,
        policy=policy,
        policy_problem=policy_problem,
        denied=tuple(denied),
    )
