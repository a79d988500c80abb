"""What the dashboard's sessions need from the outside, as a role: the keys that they are signed with."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A secret of this installation, and the name under which every process finds it again."""

    id: str
    secret: bytes = field(repr=False)


class Keyring(Protocol):
    """The installation's signing keys; every process has the same ones, and a new one every day."""

    async def current(self) -> SigningKey:
        """Get the key of today, made if nobody has made it yet."""
        ...

    async def find(self, key: str) -> SigningKey | None:
        """Find the key called *key*; None if there is none or it is too old to be believed."""
        ...
