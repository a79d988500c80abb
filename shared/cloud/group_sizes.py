"""
How many resources of a kind a resource group held when it was last listed.

One list call costs as much as one read while the group is small, and pages full of strangers when it is not. What was
learned lives as long as the process and is bounded.
"""

from collections import OrderedDict

from shared.core.arm import ResourceId

# A page of Microsoft.Network holds 100 to 250 resources; a registry has about a dozen endpoints.
LARGE = 150
_REMEMBERED = 1024


class GroupSizes:
    """Sizes by resource group (or by any other id that is listed)."""

    def __init__(self) -> None:
        self._sizes: OrderedDict[str, int] = OrderedDict()

    def note(self, listed: ResourceId, size: int) -> None:
        """Remember that listing *listed* gave *size* resources."""
        self._sizes[listed.key] = size
        self._sizes.move_to_end(listed.key)
        if len(self._sizes) > _REMEMBERED:
            self._sizes.popitem(last=False)

    def is_large(self, listed: ResourceId) -> bool:
        """Tell whether the last listing had more resources than are worth reading past."""
        return self._sizes.get(listed.key, 0) > LARGE
