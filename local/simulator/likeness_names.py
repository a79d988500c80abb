"""
Which generated name of the recording stands for which generated name of the simulated Azure.

Names that callers chose are kept as they are. Names, GUIDs and etags that the service made up differ between the two
worlds, so the tool learns the pairs by laying a recorded answer beside the simulated one and rewrites later requests.
"""

import re
from typing import Any

_GENERATED = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{10,}", re.IGNORECASE)
_IDENTITY_KEYS = frozenset({"id", "name", "resourceId", "etag", "privateEndpoint", "armResourceId"})


class Names:
    """The pairs learned so far in one source file."""

    def __init__(self) -> None:
        self._segments: dict[str, str] = {}

    def learn(self, recorded: Any, simulated: Any) -> None:
        """Walk both bodies side by side and note the generated parts of ids, names and etags that differ."""
        if isinstance(recorded, dict) and isinstance(simulated, dict):
            for key, left in recorded.items():
                right = simulated.get(key)
                if isinstance(left, str) and isinstance(right, str):
                    if key in _IDENTITY_KEYS:
                        self.pair(left, right)
                else:
                    self.learn(left, right)
        elif isinstance(recorded, list) and isinstance(simulated, list):
            for left, right in zip(recorded, simulated, strict=False):
                self.learn(left, right)

    def pair(self, recorded: str, simulated: str) -> None:
        """Note one pair of ids, names or etags, segment by segment."""
        left, right = recorded.split("/"), simulated.split("/")
        if recorded.startswith(("W/", '"')) or len(left) != len(right):
            left, right = [recorded], [simulated]
        for one, other in zip(left, right, strict=True):
            if one.lower() != other.lower() and _GENERATED.search(one) and _GENERATED.search(other):
                self._segments[one.lower()] = other

    def taken(self, simulated: str) -> bool:
        """Whether a simulated name is already somebody's counterpart."""
        return any(each.lower() == simulated.lower() for each in self._segments.values())

    def text(self, value: str) -> str:
        """A recorded id, name, path or etag in the simulated world's names."""
        if not self._segments:
            return value
        whole = self._segments.get(value.lower())
        if whole is not None:
            return whole
        return "/".join(self._segments.get(each.lower(), each) for each in value.split("/"))

    def body(self, value: Any) -> Any:
        """A recorded body in the simulated world's names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.body(each) for each in value]
        if isinstance(value, dict):
            return {self.text(str(key)): self.body(each) for key, each in value.items()}
        return value
