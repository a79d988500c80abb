"""
Deny assignments of the managed resource group: whom they keep from writing, and what to set so that they do not.

Azure protects the group of a registry with a deny assignment that spares only the principals in
`managedResourceGroupSettings.assignedIdentities`. Azure itself may close what is inside after the registry, so a deny
assignment is a warning at first; where the app would have to write itself, it is a block, and nothing is tried in vain.
"""

import re
from dataclasses import dataclass

from shared.core.arm import ResourceId
from shared.core.report import Finding, Reason, Severity

EVERYONE = "00000000-0000-0000-0000-000000000000"
"""The principal that stands for all of them in a system-defined deny assignment."""

SETTING = "properties.managedResourceGroupSettings.assignedIdentities"


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyAssignment:
    """
    A deny assignment as read.

    Attributes:
        scope: What it applies to, as an ARM path.
        permissions: Pairs of `actions` and `notActions`; it denies what one pair holds.
        principals: Object ids it is meant for; `EVERYONE` for all.
        spared: Object ids it does not apply to.
        spares_groups: Some of the spared ones are groups, whose members nobody can tell from here.
        children: It reaches below its scope.
    """

    name: str
    scope: str
    permissions: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    principals: tuple[str, ...]
    spared: tuple[str, ...] = ()
    spares_groups: bool = False
    children: bool = True

    def denies(self, principal: str, action: str, resource: ResourceId) -> bool:
        """Tell whether it certainly keeps *principal* from *action* on *resource*."""
        scope, own = self.scope.lower().rstrip("/"), principal.lower()
        inside = resource.key == scope or (self.children and resource.key.startswith(f"{scope}/"))
        meant = {one.lower() for one in self.principals}
        if not own or not inside or not meant & {EVERYONE, own}:
            return False
        if own in {one.lower() for one in self.spared} or self.spares_groups:
            return False
        return any(_covers(actions, action) and not _covers(others, action) for actions, others in self.permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denials:
    """
    What was read of the deny assignments that reach a managed resource group.

    Attributes:
        principal: Object id of the app's identity, "" if it is not configured.
        problem: Why they could not be read, "" if they were.
        generation: Of the request for which they were read.
    """

    assignments: tuple[DenyAssignment, ...] = ()
    principal: str = ""
    problem: str = ""
    generation: int = 0

    def against_writing(self, resource: ResourceId) -> DenyAssignment | None:
        """The first one that keeps the app from writing *resource*."""
        action = f"{resource.type}/write"
        return next((each for each in self.assignments if each.denies(self.principal, action, resource)), None)


def denial_block(denial: DenyAssignment, resource: ResourceId, registry: ResourceId, principal: str) -> Reason:
    """Say that public access of *resource* cannot be closed, what to set and where."""
    sentence = (
        f"Public access of {resource.name} is open and the app cannot close it: {_told(denial, registry, principal)}"
    )
    return Reason(name="DeniedByAssignment", sentence=sentence, resource=resource.text)


def denied_rules_block(
    denial: DenyAssignment, account: ResourceId, names: str, registry: ResourceId, principal: str
) -> Reason:
    """Say that *names* cannot be let into the registry's own *account*, what to set and where."""
    sentence = f"The app cannot let {names} into storage account {account.name}: {_told(denial, registry, principal)}"
    return Reason(name="DeniedByAssignment", sentence=sentence, resource=account.text)


def denial_findings(denials: Denials, open_parts: tuple[ResourceId, ...], registry: ResourceId) -> tuple[Finding, ...]:
    """Say before anything is written what will keep the app from closing *open_parts* if Azure does not."""
    if denials.problem:
        sentence = (
            f"The app cannot see whether a deny assignment protects the managed resource group of registry "
            f"{registry.name}: {denials.problem} Give it Microsoft.Authorization/denyAssignments/read there."
        )
        code, severity = "deny-assignments-unreadable", Severity.INFO
        return (Finding(code=code, severity=severity, sentence=sentence, resource=registry),)
    found = {each.name: each for part in open_parts if (each := denials.against_writing(part)) is not None}
    return tuple(
        Finding(
            code="deny-assignment",
            severity=Severity.WARNING,
            sentence=f"Unless Azure closes {', '.join(part.name for part in open_parts)} after registry {registry.name} by "
            f"itself, they stay open: {_told(denial, registry, denials.principal)}",
            resource=registry,
        )
        for denial in found.values()
    )


def _told(denial: DenyAssignment, registry: ResourceId, principal: str) -> str:
    return (
        f"the deny assignment '{denial.name}' of {denial.scope.rsplit('/', 1)[-1]} keeps it from writing there. Add "
        f'{{"principalId": "{principal}"}} to {SETTING} of registry {registry.text} with a full PUT, and ask for the '
        "registry again or wait for the next sweep."
    )


def _covers(patterns: tuple[str, ...], action: str) -> bool:
    """Whether an action is among *patterns*; `*` stands for any text (Azure RBAC, wildcard permissions)."""
    return any(
        re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), action, re.IGNORECASE) is not None
        for pattern in patterns
    )
