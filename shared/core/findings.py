"""
The catalogue of findings: everything the app can see and no write of it can put right, or may not.

A finding's code is stable: dashboards and tickets refer to it, and docs/findings.md has a section under it. One table
holds them all, so that severity, sentence and documentation cannot drift apart; rules call `finding` and never spell a
sentence twice.
"""

from dataclasses import dataclass

from shared.core.arm import ResourceId
from shared.core.report import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One line of the catalogue; *template* is filled with named values, each in braces."""

    severity: Severity
    template: str


CATALOGUE: dict[str, Kind] = {
    # --- what is observed of the registry -----------------------------------------------------------------------------
    "discovery-disagreement": Kind(severity=Severity.WARNING, template="{sentence}"),
    "dns-zone-unexpected": Kind(severity=Severity.WARNING, template="{sentence}"),
    "deny-assignments-unreadable": Kind(severity=Severity.INFO, template="{sentence}"),
    "deny-assignment": Kind(severity=Severity.WARNING, template="{sentence}"),
    "policy-conflict": Kind(
        severity=Severity.ERROR,
        template="An Azure Policy assignment fights the isolation of registry {registry}. {problem}",
    ),
    # --- what isolation costs, and what it does not reach -------------------------------------------------------------
    "environment-builds": Kind(
        severity=Severity.INFO,
        template="Environments cannot be built in registry {registry}, because its container registry {acr} is closed. "
        "Build them in a workspace and share them to the registry.",
    ),
    "metadata-public": Kind(
        severity=Severity.INFO,
        template="Name, tags and descriptions of registry {registry} stay readable through Azure Resource Manager to "
        "everybody with read access, from any network. Keep secrets out of them.",
    ),
    "studio-limits": Kind(
        severity=Severity.INFO,
        template="Azure Machine Learning studio shows only models of registry {registry} while it is closed. Use the CLI or "
        "an SDK from inside the network for other assets and for all changes.",
    ),
    # --- exemptions ---------------------------------------------------------------------------------------------------
    "exemption-active": Kind(
        severity=Severity.INFO,
        template="{targets} of registry {registry} are left as they are until {expires}: {reason} ({owner}).",
    ),
    "exemption-expiring": Kind(
        severity=Severity.WARNING,
        template="The exemption of {targets} of registry {registry} ends after {expires} ({days} left): {reason}. Then the "
        "policy applies to them. Ask {owner} whether that may happen.",
    ),
    "exemption-expired": Kind(
        severity=Severity.WARNING,
        template="The exemption of {targets} of registry {registry} ended after {expires} and has no effect: {reason}. Remove "
        "it from the policy, or agree on a new day with {owner}.",
    ),
    # --- the way out --------------------------------------------------------------------------------------------------
    "egress-group-unreadable": Kind(
        severity=Severity.WARNING,
        template="Network security group {group} cannot be checked for the way to registry {registry}: {problem}",
    ),
    "egress-rule-missing": Kind(
        severity=Severity.WARNING,
        template="Network security group {group} has no outbound rule for {ports} to {tag}, which clients of registry "
        "{registry} need. Add one, or set this egress entry's mode to enforce.",
    ),
    "egress-priorities-used-up": Kind(
        severity=Severity.ERROR,
        template="Network security group {group} has no free outbound priority from {first} to 4096 for {ports} to {tag}. "
        "Lower priority_from of this egress entry, or remove rules.",
    ),
    "egress-shadowed": Kind(
        severity=Severity.ERROR,
        template="Rule {rule} (priority {priority}) of network security group {group} denies {ports} to {tag} before any rule "
        "allows it. Give it a larger priority number than the rules of registry {registry} have, or remove it.",
    ),
    "endpoint-policy-unreadable": Kind(
        severity=Severity.WARNING,
        template="Service endpoint policy {policy} cannot be checked: {problem}",
    ),
    "endpoint-policy-alias-missing": Kind(
        severity=Severity.WARNING,
        template="Service endpoint policy {policy} does not allow /services/Azure/MachineLearning under service Global, so "
        "clients behind it cannot read Microsoft's system registry. Add it, or set this egress entry's mode to enforce.",
    ),
    # --- workspaces that share ----------------------------------------------------------------------------------------
    "sharing-unreadable": Kind(
        severity=Severity.WARNING,
        template="{name} shares with registry {registry}, and whether its storage lets the registry in cannot be checked: "
        "{problem}",
    ),
    "sharing-storage-open": Kind(
        severity=Severity.WARNING,
        template="Storage account {account}, which shares with registry {registry}, answers every network. Set its default "
        "action to Deny, or this sharing entry's public_access to selected-networks.",
    ),
    "sharing-storage-perimeter": Kind(
        severity=Severity.WARNING,
        template="Storage account {account} is secured by a network security perimeter, so its rule for registry {registry} "
        "has no effect. Let the registry in by an access rule of the perimeter.",
    ),
    "resource-rules-near-limit": Kind(
        severity=Severity.WARNING,
        template="Storage account {account} has or is about to get {count} resource instance rules, and Azure allows "
        "{limit}. Remove rules of resources that are gone.",
    ),
    "workspace-unreadable": Kind(
        severity=Severity.WARNING,
        template="Workspace {workspace} shares with registry {registry} and cannot be checked: {problem}",
    ),
    "workspace-subnet-differs": Kind(
        severity=Severity.WARNING,
        template="Workspace {workspace} has its private endpoint in {theirs}, registry {registry} has its own in {ours}. "
        "Components of the registry are only usable where they share one subnet: set the network's subnet in the policy to "
        "the workspace's.",
    ),
    "deployment-egress-open": Kind(
        severity=Severity.WARNING,
        template="Deployment {deployment} of endpoint {endpoint} in workspace {workspace} may call out to the internet "
        "(egressPublicNetworkAccess is {state}). Deploy it again with egress_public_network_access: disabled.",
    ),
    # --- where a registry stands, in reports over many ----------------------------------------------------------------
    "public-access-open": Kind(
        severity=Severity.ERROR,
        template="{what} answers the public internet.",
    ),
    "public-access-kept": Kind(
        severity=Severity.WARNING,
        template="{what} answers the public internet, and the policy says to keep that.",
    ),
    "change-planned": Kind(
        severity=Severity.WARNING,
        template="Registry {registry} is not as the policy asks. Still to be done: {change}.",
    ),
    "isolation-blocked": Kind(
        severity=Severity.ERROR,
        template="The isolation of registry {registry} waits for a person. {why}",
    ),
    "isolation-failed": Kind(
        severity=Severity.ERROR,
        template="The isolation of registry {registry} was given up. {why}",
    ),
    "isolation-under-way": Kind(
        severity=Severity.INFO,
        template="The isolation of registry {registry} goes on by itself. {why}",
    ),
    "enforcement-obstacle": Kind(
        severity=Severity.WARNING,
        template="Isolating registry {registry} would not go through at once. {why}",
    ),
    "enforcement-paused": Kind(
        severity=Severity.WARNING,
        template="Registry {registry} rests: nothing is put right until somebody resumes it.",
    ),
    "posture-unknown": Kind(
        severity=Severity.WARNING,
        template="Where registry {registry} stands is not known. {why}",
    ),
}


def finding(code: str, resource: ResourceId | None, **values: object) -> Finding:
    """The finding *code* about *resource*, its sentence filled with *values*."""
    kind = CATALOGUE[code]
    return Finding(code=code, severity=kind.severity, sentence=kind.template.format(**values), resource=resource)
