"""
What telling the owner of a resource needs from the outside, as roles.

The same promises hold as in `engine.ports`: errors of the tree only, no retries, no waiting.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.core.arm import ResourceId


class OwnerIndex(Protocol):
    """Which registry a managed group, an endpoint or a record belongs to, as passes have noted it."""

    async def find(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        """The registries that *resource* was noted for, sorted; () if it is not known."""
        ...

    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        """Note that *resources* belong to *registry*; **must** be safe to repeat."""
        ...

    async def forget(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        """Take back what was noted of *resources*; what was never noted **must** be no error."""
        ...


class OwnerSource(Protocol):
    """What Azure itself says of an owner, for resources that the index does not know."""

    async def managed_by(self, group: ResourceId) -> str:
        """`managedBy` of a resource group as received; "" if it has none or there is no such group."""
        ...

    async def endpoint_tags(self, endpoint: ResourceId) -> Mapping[str, str]:
        """Tags of a private endpoint; {} if it has none or there is no such endpoint."""
        ...
