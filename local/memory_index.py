"""The owner index in memory, beside the ledger of `local.memory`: the same port, the same promises."""

import asyncio
from collections.abc import Sequence

from shared.core.arm import ResourceId


class MemoryOwnerIndex:
    """`engine.owner_ports.OwnerIndex` in a dictionary."""

    def __init__(self) -> None:
        self.owners: dict[ResourceId, set[ResourceId]] = {}
        """Resource to registries."""
        self.finds = 0
        self.writes = 0

    async def find(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        self.finds += 1
        await asyncio.sleep(0)
        return tuple(sorted(self.owners.get(resource, ())))

    async def note(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        await asyncio.sleep(0)
        self.writes += len(resources)
        for resource in resources:
            self.owners.setdefault(resource, set()).add(registry)

    async def forget(self, registry: ResourceId, resources: Sequence[ResourceId]) -> None:
        await asyncio.sleep(0)
        self.writes += len(resources)
        for resource in resources:
            owners = self.owners.get(resource, set())
            owners.discard(registry)
            if not owners:
                self.owners.pop(resource, None)
