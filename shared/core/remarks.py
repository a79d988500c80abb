"""
Findings that no write of the app can put right: what isolation costs, what it does not reach, what is about to end.

    seen                                                              finding
    the container registry is closed                                  environment-builds
    the registry is closed                                            metadata-public, studio-limits
    an exemption names the registry, its last day has not come        exemption-active; -expiring 14 days before the end
    the same, its last day is over                                    exemption-expired
    a sharing workspace's endpoint is in none of the registry's subnets   workspace-subnet-differs
    a sharing workspace's deployment may call out                     deployment-egress-open
"""

from collections.abc import Iterator
from datetime import date

from shared.core.findings import finding
from shared.core.lockdown import Memory
from shared.core.plan import Part
from shared.core.policy import Exemption, IsolationPolicy
from shared.core.policy_values import matches
from shared.core.registry import Access, Registry, TargetKind
from shared.core.report import Finding

EXPIRY_DAYS = 14
"""Days before its end from which on an exemption is a warning."""

_NAMES = {
    TargetKind.REGISTRY: "the registry itself",
    TargetKind.STORAGE: "storage",
    TargetKind.ACR: "container registry",
}


def plan_remarks(registry: Registry, policy: IsolationPolicy, memory: Memory) -> Part:
    """Findings only; nothing here changes, waits or blocks."""
    return Part(
        findings=(
            *_exemptions(registry, policy, memory.now.date()),
            *_consequences(registry),
            *_workspaces(registry, policy),
        )
    )


def _exemptions(registry: Registry, policy: IsolationPolicy, today: date) -> Iterator[Finding]:
    for exemption in policy.exemptions:
        if matches((exemption.registry,), registry.id.name):
            yield _exemption(registry, exemption, (exemption.expires - today).days)


def _exemption(registry: Registry, exemption: Exemption, left: int) -> Finding:
    code = "exemption-expired" if left < 0 else "exemption-expiring" if left <= EXPIRY_DAYS else "exemption-active"
    targets = _listed([_NAMES[target] for target in exemption.targets])
    return finding(
        code,
        registry.id,
        targets=f"{targets[:1].upper()}{targets[1:]}" if code == "exemption-active" else targets,
        registry=registry.id.name,
        expires=exemption.expires.isoformat(),
        days="1 day" if left == 1 else f"{left} days",
        reason=exemption.reason,
        owner=exemption.owner,
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _consequences(registry: Registry) -> Iterator[Finding]:
    own = registry.document.target
    name = registry.id.name
    for target in registry.targets:
        if target.kind is TargetKind.ACR and target.access is Access.CLOSED:
            yield finding("environment-builds", target.id, registry=name, acr=target.id.name)
    if own.access is Access.CLOSED:
        yield finding("metadata-public", own.id, registry=name)
        yield finding("studio-limits", own.id, registry=name)


def _workspaces(registry: Registry, policy: IsolationPolicy) -> Iterator[Finding]:
    regions = tuple(region.location for region in registry.document.regions)
    ours = {network.subnet: network.name for network in policy.networks_for(registry.id, regions)}
    names = {"registry": registry.id.name}
    for seen in registry.workspaces:
        workspace = seen.workspace
        for problem in seen.problems:
            yield finding("workspace-unreadable", workspace, workspace=workspace.name, problem=problem, **names)
        if ours and seen.subnets and not set(seen.subnets) & set(ours):
            yield finding(
                "workspace-subnet-differs",
                workspace,
                workspace=workspace.name,
                theirs=", ".join(sorted(subnet.text for subnet in seen.subnets)),
                ours=", ".join(sorted(subnet.text for subnet in ours)),
                **names,
            )
        for deployment in seen.open_deployments:
            yield finding(
                "deployment-egress-open",
                deployment.id,
                deployment=deployment.id.name,
                endpoint=deployment.id.parent.name,
                workspace=workspace.name,
                state=deployment.state,
            )
