"""
An error that ended a pass, as it may be kept and shown: named, bounded, and without secrets.

Errors of the tree carry sentences for people. A bug is an ordinary exception whose text may hold anything, so whatever
looks like a key, a token or a signature is taken out of it.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.core.errors import Fate, RegistryIsolationError
from shared.core.secrets import without_secrets

MOST_CHARACTERS = 500
"""Of a sentence; enough for any of ours, too few for a dump."""

_BUG = 200
_BREAKS = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class MishapFate(StrEnum):
    """What becomes of the message: as an error's fate says, or of one that says nothing."""

    RETRY_NOW = Fate.RETRY_NOW.value
    RETRY_LATER = Fate.RETRY_LATER.value
    OBSERVE_AGAIN = Fate.OBSERVE_AGAIN.value
    BLOCKED = Fate.BLOCKED.value
    PERMANENT = Fate.PERMANENT.value
    BUG = "bug"
    UNKNOWN = "unknown"

    @property
    def passes(self) -> bool:
        """Trying again later may help, and nobody has to do anything for it."""
        return self in {MishapFate.RETRY_NOW, MishapFate.RETRY_LATER, MishapFate.OBSERVE_AGAIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """
    The last error of a message's deliveries.

    Attributes:
        at: When it came last.
        since: When the unbroken run of mishaps of this message began.
        generation: Of the message.
        attempt: Of the message.
        deliveries: How often the message has ended like this.
        replays: How often it came back from the poison queue by itself.
    """

    at: datetime
    since: datetime
    name: str
    sentence: str
    fate: MishapFate
    generation: int
    attempt: int
    deliveries: int = 1
    replays: int = 0


def describe(error: Exception) -> tuple[str, str, MishapFate]:
    """Name, sentence and fate of *error*, fit to be kept."""
    if isinstance(error, RegistryIsolationError):
        return error.name, redacted(error.sentence, MOST_CHARACTERS), MishapFate(error.fate.value)
    text = redacted(str(error), _BUG)
    name = type(error).__name__
    return name, f"An error that the app does not expect: {name}{f': {text}' if text else ''}", MishapFate.BUG


def redacted(text: str, most: int = MOST_CHARACTERS) -> str:
    """*text* on one line, without what looks like a secret, at most *most* characters."""
    bounded = _BREAKS.sub(" ", text[: 20 * most])  # the patterns never see more than that
    bounded = without_secrets(bounded).strip()
    return bounded if len(bounded) <= most else f"{bounded[: most - 3]}..."
