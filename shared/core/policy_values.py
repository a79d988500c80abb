"""
The smallest pieces of the policy: patterns for names, ids of one type, and the model that all sections share.

A pattern knows only `*` and `?`. That is enough for names, every reader understands it, and whether two patterns can
meet stays decidable, which the check for contradicting networks needs.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)

from shared.core.arm import ResourceId, is_guid
from shared.core.registry import STORAGE_TYPE

SUBNET_TYPE = "Microsoft.Network/virtualNetworks/subnets"
SECURITY_GROUP_TYPE = "Microsoft.Network/networkSecurityGroups"
ENDPOINT_POLICY_TYPE = "Microsoft.Network/serviceEndpointPolicies"
WORKSPACE_TYPE = "Microsoft.MachineLearningServices/workspaces"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"

_NAME_PATTERN = re.compile(r"[A-Za-z0-9*?][A-Za-z0-9*?_-]{0,63}", re.ASCII)
_REGION_PATTERN = re.compile(r"[A-Za-z0-9*? ]{1,64}", re.ASCII)


class Section(BaseModel):
    """A part of the policy: frozen, unknown keys refused, described by the text under each field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # What stands between two stars is found once, as early as possible, and not looked for again (`(?>`): plain `.*`
    # would try every combination of places, which takes minutes with a dozen stars and a name of 32 characters.
    first, *others = ("".join("." if c == "?" else re.escape(c) for c in part) for part in _runs(pattern).split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    *inner, last = others
    return re.compile(first + "".join(f"(?>.*?{part})" for part in inner) + f".*{last}", re.DOTALL)


def _runs(pattern: str) -> str:
    """The characters of *pattern*, neighbouring stars taken together so that matching stays fast."""
    return re.sub(r"\*+", "*", pattern)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether *name* fits one of *patterns*, compared without case."""
    folded = name.lower()
    return any(_compiled(pattern.lower()).fullmatch(folded) for pattern in patterns)


def matches_region(patterns: Iterable[str], regions: Iterable[str]) -> bool:
    """Tell whether one of *regions* fits; "West Europe" and westeurope are the same region."""
    wanted = [pattern.replace(" ", "") for pattern in patterns]
    return any(matches(wanted, region.replace(" ", "")) for region in regions)


def overlap(first: Iterable[str], second: Iterable[str]) -> bool:
    """Tell whether some name fits both a pattern of *first* and one of *second*."""
    others = [_folded(pattern) for pattern in second]
    return any(_meet(_folded(pattern), other) for pattern in first for other in others)


def _folded(pattern: str) -> str:
    return "".join(_runs(pattern.lower().replace(" ", "")))


def _meet(first: str, second: str) -> bool:
    """Walk both patterns at once; the reachable positions of *second* stand for all that was read of *first*."""
    reachable = _skipping(second, {0})
    for symbol in first:
        if symbol == "*":
            reachable = set(range(min(reachable, default=len(second) + 1), len(second) + 1))
        else:
            reachable = _skipping(second, set(_step(second, reachable, symbol)))
    return len(second) in reachable


def _step(pattern: str, reachable: Iterable[int], symbol: str) -> Iterable[int]:
    for position in reachable:
        if position < len(pattern):
            other = pattern[position]
            if other == "*":
                yield position
            elif "?" in {other, symbol} or other == symbol:
                yield position + 1


def _skipping(pattern: str, reachable: set[int]) -> set[int]:
    """A star may also stand for nothing."""
    found = set(reachable)
    for position in sorted(reachable):
        if pattern[position : position + 1] == "*":
            found.add(position + 1)
    return found


def _pattern(shape: re.Pattern[str], letters: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise ValueError(f"{text[:80]!r} is not a pattern of {letters}, '*' and '?'")
        return text

    return check


def _id_of(resource_type: str) -> Callable[[ResourceId], ResourceId]:
    def check(resource: ResourceId) -> ResourceId:
        if not resource.is_type(resource_type):
            raise ValueError(f"is the id of a {resource.type}, a {resource_type} is needed")
        return resource

    return check


def _resource(resource: ResourceId) -> ResourceId:
    if resource.is_type(GROUP_TYPE):
        raise ValueError("is the id of a resource group, that of a resource is needed")
    return resource


def _subscription(text: str) -> str:
    if not is_guid(text):
        raise ValueError(f"{text[:80]!r} is not a subscription id (a GUID)")
    return text.lower()


def _calendar_day(value: object) -> object:
    if isinstance(value, datetime) or not isinstance(value, (date, str)):
        raise ValueError("must be a day like 2027-01-31")  # noqa: TRY004 -- what pydantic collects
    return value


def distinct[T](values: tuple[T, ...]) -> tuple[T, ...]:
    """Refuse a list that names something twice."""
    seen: set[object] = set()
    for value in values:
        key = value.lower() if isinstance(value, str) else value
        if key in seen:
            raise ValueError(f"{value} is listed twice")
        seen.add(key)
    return values


def _id_schema(tail: str) -> WithJsonSchema:
    """Show an example; the schema cannot say more than that it is an id, because ids ignore case."""
    example = f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-hub{tail}"
    return WithJsonSchema({"type": "string", "pattern": "^/[A-Za-z]+/.+", "examples": [example]})


NamePattern = Annotated[
    str,
    AfterValidator(_pattern(_NAME_PATTERN, "letters, digits, '-', '_'")),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME_PATTERN.pattern}$", "examples": ["ml-*"]}),
]
RegionPattern = Annotated[
    str,
    AfterValidator(_pattern(_REGION_PATTERN, "letters, digits")),
    WithJsonSchema({"type": "string", "pattern": f"^{_REGION_PATTERN.pattern}$", "examples": ["westeurope"]}),
]
NamePatterns = Annotated[tuple[NamePattern, ...], Field(min_length=1), AfterValidator(distinct)]
RegionPatterns = Annotated[tuple[RegionPattern, ...], Field(min_length=1), AfterValidator(distinct)]
SubscriptionId = Annotated[
    str, AfterValidator(_subscription), WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f-]{36}$"})
]
SubnetId = Annotated[
    ResourceId,
    AfterValidator(_id_of(SUBNET_TYPE)),
    _id_schema("/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/endpoints"),
]
GroupId = Annotated[ResourceId, AfterValidator(_id_of(GROUP_TYPE)), _id_schema("")]
SecurityGroupId = Annotated[
    ResourceId,
    AfterValidator(_id_of(SECURITY_GROUP_TYPE)),
    _id_schema("/providers/Microsoft.Network/networkSecurityGroups/nsg-train"),
]
EndpointPolicyId = Annotated[
    ResourceId,
    AfterValidator(_id_of(ENDPOINT_POLICY_TYPE)),
    _id_schema("/providers/Microsoft.Network/serviceEndpointPolicies/sep-train"),
]
WorkspaceId = Annotated[
    ResourceId,
    AfterValidator(_id_of(WORKSPACE_TYPE)),
    _id_schema("/providers/Microsoft.MachineLearningServices/workspaces/ws-fraud"),
]
StorageAccountId = Annotated[
    ResourceId,
    AfterValidator(_id_of(STORAGE_TYPE)),
    _id_schema("/providers/Microsoft.Storage/storageAccounts/stfraud"),
]
InstanceId = Annotated[
    ResourceId,
    AfterValidator(_resource),
    _id_schema("/providers/Microsoft.MachineLearningServices/workspaces/ws-fraud"),
]
Day = Annotated[date, BeforeValidator(_calendar_day)]
Flag = StrictBool
Count = StrictInt
Words = Annotated[str, Field(min_length=1, max_length=300)]
