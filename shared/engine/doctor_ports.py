"""What the doctor asks of Azure besides what passes ask; `cloud.surroundings` implements it."""

from typing import Protocol

from shared.core.arm import ResourceId
from shared.core.diagnosis import EventRoute
from shared.core.rights import Permission


class Surroundings(Protocol):
    """
    Facts about the app's place in Azure.

    Every read **must** raise a member of the error tree when it cannot tell; nothing here **may** change anything.
    """

    async def token(self) -> None:
        """Get an access token and reach Resource Manager with it."""
        ...

    async def permissions(self, scope: str) -> tuple[Permission, ...] | None:
        """The app's own permissions at an ARM path, inherited ones included; None if nothing is there."""
        ...

    async def provider(self, subscription: str, namespace: str) -> str:
        """`registrationState` of a resource provider; "" if there is no such provider."""
        ...

    async def event_routes(self, subscription: str) -> tuple[EventRoute, ...]:
        """The event subscriptions of the system topics that tell a subscription's own events."""
        ...

    async def some_registries(self, subscription: str) -> tuple[ResourceId, ...]:
        """Some registries of a subscription, by one request, however many there are."""
        ...

    async def touch(self, service: str) -> None:
        """Reach the app's own `queue` or `blob` service."""
        ...
