"""
The queue message that asks for a registry's outcome events to be delivered.

It holds no event: those wait in the ledger, so that whoever may write to the queue can at most ask for a look.
"""

import json
from dataclasses import dataclass, replace
from typing import Self

from shared.core.arm import ResourceId
from shared.core.errors import MalformedMessage, MalformedResourceId
from shared.core.requests import MESSAGE_BYTES, registry_id

_VERSION = 1
_MEMBERS = {"version", "registry", "tries", "lasting"}
_MOST_TRIES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMessage:
    """
    Deliver what waits for this registry, please.

    Attributes:
        tries: How often the topic has failed this message.
        lasting: It is tried until the topic takes the events; otherwise only a few times, because others are under way.
    """

    registry: ResourceId
    tries: int = 0
    lasting: bool = True

    def again(self) -> Self:
        """The message after one more failure."""
        return replace(self, tries=min(self.tries + 1, _MOST_TRIES))

    def encode(self) -> str:
        """The message as JSON text."""
        members = {
            "version": _VERSION,
            "registry": self.registry.text,
            "tries": self.tries,
            "lasting": self.lasting,
        }
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read a message; raises MalformedMessage with the reason."""
        members = _members(text)
        tries, lasting = members["tries"], members["lasting"]
        if type(tries) is not int or not 0 <= tries <= _MOST_TRIES:
            raise MalformedMessage(f"The delivery message's tries are not a number from 0 to {_MOST_TRIES}.")
        if not isinstance(lasting, bool):
            raise MalformedMessage("The delivery message's lasting is neither true nor false.")
        try:
            registry = registry_id(members["registry"])
        except MalformedResourceId as error:
            raise MalformedMessage(f"The delivery message names no registry: {error.sentence}") from error
        return cls(registry=registry, tries=tries, lasting=lasting)


def _members(text: str | bytes) -> dict[str, object]:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", errors="surrogatepass"))
    if size > MESSAGE_BYTES:
        raise MalformedMessage(
            f"The delivery message has {size} bytes; no message of this app exceeds {MESSAGE_BYTES}."
        )
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage("The delivery message is not JSON.") from error
    if not isinstance(members, dict) or members.keys() != _MEMBERS or members["version"] != _VERSION:
        raise MalformedMessage("The delivery message does not have the members that this app writes.")
    return members
