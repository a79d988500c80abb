"""
Azure Policy assignments that fight the isolation, as findings.

An assignment that wants public access open, forbids endpoints or takes resource instance rules away is found out only when
Azure refuses a write: what applies to a resource cannot be read without rights on every scope above it. The refusal blocks
the registry; the finding beside it lets a dashboard tell conflicting policies from everything else that blocks.
"""

from collections.abc import Mapping

from shared.core.arm import ResourceId
from shared.core.errors import DeniedByPolicy, MalformedResourceId
from shared.core.findings import finding
from shared.core.report import Finding, Reason


def policy_conflicts(refused: Mapping[str, Reason], registry: ResourceId) -> tuple[Finding, ...]:
    """One finding for each write that an Azure Policy assignment has refused; *refused* is what the ledger keeps."""
    reasons = dict.fromkeys(reason for reason in refused.values() if reason.name == DeniedByPolicy.__name__)
    return tuple(
        finding("policy-conflict", _resource(reason, registry), registry=registry.name, problem=reason.sentence)
        for reason in reasons
    )


def _resource(reason: Reason, registry: ResourceId) -> ResourceId:
    try:
        return ResourceId.parse(reason.resource)
    except MalformedResourceId:
        return registry
