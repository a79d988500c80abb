"""A simulated Azure that an independent observer watches: when each door closed, by Azure's own state."""

from datetime import datetime
from typing import Any

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure


class WatchedAzure(SimulatedAzure):
    """A simulated Azure that notes when each door of its registries closes, at the moment that it does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.closings: dict[str, datetime] = {}

    def advance(self, now: datetime) -> None:
        """Let time pass from one transition to the next, and look at the doors after each."""
        while (due := self.next_due()) is not None and due <= now:
            super().advance(due)
            self._look()
        super().advance(now)

    def _look(self) -> None:
        for found in self.world.of_type("Microsoft.MachineLearningServices/registries"):
            if not found.properties.get("managedResourceGroup"):
                continue
            for each in (found, *scenery.parts_of(self, found)):
                if str(each.properties.get("publicNetworkAccess", "Enabled")) == "Disabled":
                    self.closings.setdefault(each.key, self.world.now)
