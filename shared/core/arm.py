"""
ARM ids as values: parsed once, compared without case, shown as received.

Azure's services disagree about the casing of ids (`resourcegroups`, `microsoft.storage`), so nothing in the product
compares id texts; it compares `ResourceId`s. Parsing also is the first gate against hostile input: an id that survives
it holds no control characters, no path tricks and no query.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from shared.core.errors import MalformedResourceId

# ARM limits a resource id to 2,048 characters (documentation of deployment templates).
MAX_LENGTH = 2048

# Names may hold letters of any script (resource groups do), never separators, quotes, queries, spaces or anything that
# prints as nothing: direction marks would let a log line lie, and no encoder takes a lone surrogate. The two joiners are
# part of words in some scripts. The Kelvin sign is refused because its lower case is the letter k, which would make two
# ids equal that Azure tells apart.
_PATH = re.compile(r"(?:/[^\s\u212a/\\?#%&<>\"'`:*|+;]{1,260})+")
_DOTS = frozenset({".", ".."})
_JOINERS = str.maketrans("", "", "\u200c\u200d")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SUBSCRIPTION_PARTS = 2
_GROUP_PARTS = 4
_PROVIDER_PARTS = 6
_REMEMBERED = 4096
"""Ids that are not parsed again: a pass meets each of its few dozen ids some fifty times. At most a few MiB."""


@dataclass(frozen=True, slots=True, eq=False)
class ResourceId:
    """
    A resource group or resource in ARM, equal to every other casing of itself.

    Attributes:
        text: The id as received, without a trailing slash.
        subscription: Subscription GUID as received.
        resource_group: Resource group name as received.
        type: `Namespace/type[/type...]` as received; `Microsoft.Resources/resourceGroups` for a group.
        names: Resource names, outermost first; the group's name alone for a group.
        key: The one text under which every casing of this id is known.
    """

    text: str
    subscription: str
    resource_group: str
    type: str
    names: tuple[str, ...]
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", folded(self.text))

    @classmethod
    def parse(cls, text: object) -> "ResourceId":
        """Read an id of a resource group or of a resource inside one; raises MalformedResourceId."""
        if not isinstance(text, str) or not text or len(text) > MAX_LENGTH:
            raise MalformedResourceId(
                f"An ARM resource id of 1 to {MAX_LENGTH} characters is needed, got {_shown(text)}."
            )
        return _read(text)

    @property
    def name(self) -> str:
        """The innermost name, as received."""
        return self.names[-1]

    @property
    def group(self) -> "ResourceId":
        """The resource group that holds it (itself for a group)."""
        return ResourceId.parse(f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}")

    @property
    def parent(self) -> "ResourceId":
        """The enclosing resource, or the resource group of a top-level resource."""
        if len(self.names) == 1:
            return self.group
        return ResourceId.parse(self.text.rsplit("/", 2)[0])

    def is_type(self, resource_type: str) -> bool:
        """Tell whether the resource is of *resource_type*, compared without case."""
        return self.type.lower() == resource_type.lower()

    def child(self, segment: str, name: str) -> "ResourceId":
        """The id of a child resource, `segment` being the last part of its type."""
        return ResourceId.parse(f"{self.text}/{segment}/{name}")

    def resource(self, resource_type: str, name: str) -> "ResourceId":
        """The id of a top-level resource of *resource_type* in this id's resource group."""
        return ResourceId.parse(f"{self.group.text}/providers/{resource_type}/{name}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key

    def __lt__(self, other: "ResourceId") -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON an id is its text."""
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            json_schema_input_schema=core_schema.str_schema(pattern="^/subscriptions/.+"),
        )

    @classmethod
    def _validate(cls, value: object) -> "ResourceId":
        if isinstance(value, cls):
            return value
        try:
            return cls.parse(value)
        except MalformedResourceId as error:
            raise ValueError(error.sentence) from error


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str) -> ResourceId:
    """The id that *text* spells; what is no id is not remembered. Raises MalformedResourceId."""
    trimmed = text.rstrip("/")
    parts = trimmed.split("/")[1:]
    if not _is_resource_path(trimmed, parts):
        raise MalformedResourceId(
            f"{_shown(text)} is not an ARM resource id of the form /subscriptions/<guid>/resourceGroups/<group>"
            "[/providers/<namespace>/<type>/<name>...]."
        )
    if len(parts) == _GROUP_PARTS:
        return ResourceId(trimmed, parts[1], parts[3], "Microsoft.Resources/resourceGroups", (parts[3],))
    pairs = parts[_PROVIDER_PARTS:]
    types = "/".join([parts[5], *pairs[0::2]])
    return ResourceId(trimmed, parts[1], parts[3], types, tuple(pairs[1::2]))


def folded(text: str) -> str:
    """
    The one spelling of everything that Azure takes for *text*, which compares ids letter by letter and without case.

    `str.lower` looks at a letter's neighbours (a sigma at the end of a word) and makes one letter of two that Azure tells
    apart (the Angstrom sign and the letter, the Ohm sign and the omega): one row of the ledger for two registries.
    """
    return text.lower() if text.isascii() else "".join(map(_fold, text))


def _fold(letter: str) -> str:
    """Lower case where upper case leads back; nothing becomes ASCII that is not (dotless i, long s, Kelvin sign)."""
    upper = letter.upper()
    if len(upper) != 1 or (upper.isascii() and not letter.isascii()):
        upper = letter
    lower = upper.lower()
    if len(lower) != 1 or lower.upper() != upper or (lower.isascii() and not upper.isascii()):
        return upper
    return lower


def is_guid(text: object) -> bool:
    """Tell whether *text* is a GUID in the form ARM uses."""
    return isinstance(text, str) and _GUID.fullmatch(text) is not None


def _is_resource_path(text: str, parts: list[str]) -> bool:
    if len(parts) < _GROUP_PARTS or len(parts) % 2 or not _is_path_of_names(text, parts):
        return False
    if parts[0].lower() != "subscriptions" or parts[2].lower() != "resourcegroups" or not is_guid(parts[1]):
        return False
    if len(parts) == _GROUP_PARTS:
        return True
    return len(parts) > _PROVIDER_PARTS and parts[4].lower() == "providers" and "." in parts[5]


def _is_path_of_names(text: str, parts: list[str]) -> bool:
    """Look at all names together: one by one, this was a third of a sweep's processor time."""
    if _PATH.fullmatch(text) is None or not _DOTS.isdisjoint(parts):
        return False
    return text.isprintable() or text.translate(_JOINERS).isprintable()


def _shown(value: object) -> str:
    """A short, printable form of untrusted input for an error sentence."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."  # noqa: PLR2004 -- readable in a log line
