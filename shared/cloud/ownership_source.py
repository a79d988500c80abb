"""What Resource Manager says of an owner: a group's `managedBy`, an endpoint's tags. Two raw GETs, no client library."""

from collections.abc import Mapping

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import tags, text
from shared.core.arm import ResourceId

_GROUP_API_VERSION = "2021-04-01"
_ENDPOINT_API_VERSION = "2023-09-01"  # tags have looked the same in every version


class ArmOwnerSource:
    """`engine.owner_ports.OwnerSource` on Azure Resource Manager."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def managed_by(self, group: ResourceId) -> str:
        """`managedBy` of a resource group; "" if it has none or there is no such group."""
        return text(await self._arm.get(group.text, _GROUP_API_VERSION, operation="read resource group"), "managedBy")

    async def endpoint_tags(self, endpoint: ResourceId) -> Mapping[str, str]:
        """Tags of a private endpoint; {} if it has none or there is no such endpoint."""
        return tags(await self._arm.get(endpoint.text, _ENDPOINT_API_VERSION, operation="read private endpoint"))
