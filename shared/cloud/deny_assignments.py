"""Deny assignments, over a raw Resource Manager call: one read is not worth a client library."""

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, entries, member, text, texts
from shared.core.arm import ResourceId
from shared.core.denials import DenyAssignment

# The only generally available version of this type (documentation, deny assignments).
_API_VERSION = "2022-04-01"


class DenyAssignments:
    """Deny assignments of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def list(self, scope: ResourceId) -> tuple[DenyAssignment, ...]:
        """Those that apply at *scope*, its own and those above it."""
        path = f"{scope.text}/providers/Microsoft.Authorization/denyAssignments"
        listed = await self._arm.list(path, _API_VERSION, operation="list deny assignments")
        return tuple(assignment_of(entry) for entry in listed or ())


def assignment_of(document: Document) -> DenyAssignment:
    """Read one deny assignment."""
    spared = entries(document, "properties", "excludePrincipals")
    return DenyAssignment(
        name=text(document, "properties", "denyAssignmentName"),
        scope=text(document, "properties", "scope"),
        permissions=tuple(
            (texts(entry, "actions"), texts(entry, "notActions"))
            for entry in entries(document, "properties", "permissions")
        ),
        principals=tuple(text(entry, "id") for entry in entries(document, "properties", "principals")),
        spared=tuple(text(entry, "id") for entry in spared),
        spares_groups=any(text(entry, "type").lower() == "group" for entry in spared),
        children=member(document, "properties", "doNotApplyToChildScopes") is not True,
    )
