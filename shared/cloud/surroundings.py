"""
The doctor's reads of Azure, over raw Resource Manager calls: permissions, resource providers, event subscriptions.

Also composes the doctor from what a process has anyway.
"""

from azure.core.exceptions import ResourceNotFoundError

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, entries, resource_id, text, texts
from shared.cloud.state_clients import StateAccount
from shared.cloud.storage_errors import named_errors
from shared.core.arm import ResourceId
from shared.core.diagnosis import EventRoute
from shared.core.rights import Permission

# The newest versions that are generally available in every cloud (template references).
_TENANTS_API = "2022-12-01"
_PERMISSIONS_API = "2022-04-01"
_PROVIDERS_API = "2021-04-01"
_EVENT_GRID_API = "2022-06-15"
_REGISTRIES_API = "2023-04-01"
_OWN_EVENTS = "microsoft.resources.subscriptions"
LEASES = "leases"


class ArmSurroundings:
    """
    `Surroundings` on Azure.

    Args:
        account: The app's own storage account; None where there is none to look at.
        queue: Name of the work queue.
    """

    def __init__(self, arm: ArmClient, account: StateAccount | None, queue: str) -> None:
        self._arm = arm
        self._account = account
        self._queue = queue

    async def token(self) -> None:
        """A list of tenants needs a token and no right."""
        await self._arm.list("/tenants", _TENANTS_API, operation="list tenants")

    async def permissions(self, scope: str) -> tuple[Permission, ...] | None:
        """
        At *scope*.

        Documented for resource groups and resources; that a subscription answers in the same way is assumed.
        """
        path = f"{scope}/providers/Microsoft.Authorization/permissions"
        listed = await self._arm.list(path, _PERMISSIONS_API, operation="list permissions")
        return None if listed is None else tuple(permission_of(entry) for entry in listed)

    async def provider(self, subscription: str, namespace: str) -> str:
        """`registrationState`."""
        path = f"/subscriptions/{subscription}/providers/{namespace}"
        return text(await self._arm.get(path, _PROVIDERS_API, operation="read resource provider"), "registrationState")

    async def event_routes(self, subscription: str) -> tuple[EventRoute, ...]:
        """Of every system topic of the subscription itself; Azure allows one."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics"
        topics = await self._arm.list(path, _EVENT_GRID_API, operation="list system topics")
        found: list[EventRoute] = []
        for topic in topics or ():
            if text(topic, "properties", "topicType").lower() == _OWN_EVENTS:
                below = f"{text(topic, 'id')}/eventSubscriptions"
                listed = await self._arm.list(below, _EVENT_GRID_API, operation="list event subscriptions")
                found.extend(route_of(entry) for entry in listed or ())
        return tuple(found)

    async def some_registries(self, subscription: str) -> tuple[ResourceId, ...]:
        """Those of the first page."""
        path = f"/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/registries"
        page = await self._arm.get(path, _REGISTRIES_API, operation="list registries")
        found = (resource_id(entry, "id") for entry in entries(page, "value"))
        return tuple(each for each in found if each is not None)

    async def touch(self, service: str) -> None:
        """Ask the service something that it answers whatever it holds."""
        if self._account is None:
            return
        if service == "queue":
            async with self._account.queue(self._queue) as queue:
                with named_errors("read the work queue"):
                    try:
                        await queue.get_queue_properties()
                    except ResourceNotFoundError:
                        return  # the first message makes it
        else:
            async with self._account.container(LEASES) as container:
                with named_errors("look for the lease container"):
                    await container.exists()


def permission_of(document: Document) -> Permission:
    """Read one entry of a permission list."""
    return Permission(actions=texts(document, "actions"), not_actions=texts(document, "notActions"))


def route_of(document: Document) -> EventRoute:
    """Read one event subscription."""
    destination = ("properties", "destination", "properties", "resourceId")
    inner = ("properties", "deliveryWithResourceIdentity", "destination", "properties", "resourceId")
    return EventRoute(
        name=text(document, "name"),
        target=text(document, *destination) or text(document, *inner),
        state=text(document, "properties", "provisioningState"),
    )
