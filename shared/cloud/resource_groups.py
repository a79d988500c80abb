"""Resource groups and what they hold, over raw Resource Manager calls: two reads are not worth a client library."""

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import resource_id, text
from shared.core.arm import ResourceId
from shared.core.registry import GroupCandidate

# Generally available in every cloud since 2021; the calls used here have not changed since.
_API_VERSION = "2021-04-01"


class ResourceGroups:
    """Resource groups of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def resources(self, group: ResourceId) -> tuple[ResourceId, ...] | None:
        """Ids of the resources in a group; None if there is no such group."""
        listed = await self._arm.list(f"{group.text}/resources", _API_VERSION, operation="list resources")
        if listed is None:
            return None
        found = (resource_id(entry, "id") for entry in listed)
        return tuple(identifier for identifier in found if identifier)

    async def find(self, subscription: str, prefix: str) -> tuple[GroupCandidate, ...]:
        """Groups of a subscription whose names start with *prefix*; Resource Manager itself filters by tags only."""
        listed = await self._arm.list(
            f"/subscriptions/{subscription}/resourcegroups", _API_VERSION, operation="list resource groups"
        )
        candidates = ((resource_id(entry, "id"), text(entry, "managedBy")) for entry in listed or ())
        return tuple(
            GroupCandidate(id=identifier, managed_by=managed_by)
            for identifier, managed_by in candidates
            if identifier and identifier.name.lower().startswith(prefix.lower())
        )
