"""What `python -m local init` has to know, each answer checked by the product's own types as soon as it is given."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.core.arm import ResourceId
from shared.core.policy_values import GroupId, NamePattern, SubnetId, SubscriptionId, WorkspaceId


class WrongAnswer(ValueError):
    """It cannot be used; the message says why, and of which question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """
    Everything that a first policy says.

    Attributes:
        zones: Resource group of the private DNS zones; None if somebody else manages names.
        endpoints: Resource group of the endpoints; None for the virtual network's.
        include: Patterns of registry names; () for all.
        mode: "audit" or "enforce".
    """

    subscriptions: tuple[str, ...]
    subnet: ResourceId
    zones: ResourceId | None
    endpoints: ResourceId | None = None
    workspaces: tuple[ResourceId, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    mode: str = "audit"

    def document(self) -> dict[str, Any]:
        """The policy that follows from the answers, without anything that is as by default."""
        scope: dict[str, Any] = {"subscriptions": list(self.subscriptions)}
        names = {"include": list(self.include), "exclude": list(self.exclude)}
        if any(names.values()):
            scope["registries"] = {name: patterns for name, patterns in names.items() if patterns}
        network: dict[str, Any] = {"name": _network_name(self.subnet), "subnet": self.subnet.text}
        if self.endpoints is not None:
            network["endpoints_resource_group"] = self.endpoints.text
        dns: dict[str, Any] = {"manage": False}
        if self.zones is not None:
            dns = {"zones_resource_group": self.zones.text, "create_zones": True, "link_vnet": True}
        document = {"version": 1, "mode": self.mode, "scope": scope, "networks": [network | {"dns": dns}]}
        if self.workspaces:
            workspaces = [workspace.text for workspace in self.workspaces]
            document["sharing"] = [{"registries": ["*"], "workspaces": workspaces}]
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    One question.

    Attributes:
        flag: The option that answers it.
        asked: What a person is asked.
        kind: Type that the answer must be of.
        many: Several answers, separated by commas.
    """

    flag: str
    asked: str
    kind: Any
    many: bool = False
    _adapter: TypeAdapter[Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_adapter", TypeAdapter(self.kind))

    def read(self, given: str, home: str = "") -> Any:
        """
        Read one answer.

        Args:
            home: Subscription of resource groups that are given by name alone.

        Raises:
            WrongAnswer: It is not of the question's type.
        """
        text = given.strip()
        if self.kind is GroupId and home and text and "/" not in text:
            text = f"/subscriptions/{home}/resourceGroups/{text}"
        try:
            return self._adapter.validate_python(text)
        except ValidationError as error:
            why = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise WrongAnswer(f"{self.flag}: {why}") from error

    def read_all(self, given: Sequence[str], home: str = "") -> tuple[Any, ...]:
        """Read answers that may each hold several; the same one twice counts once."""
        parts = (part for text in given for part in text.split(",") if part.strip())
        return tuple(dict.fromkeys(self.read(part, home) for part in parts))


SUBNET = Question(
    flag="--subnet",
    asked="Id of the subnet for private endpoints, best the one of your workspaces' endpoints",
    kind=SubnetId,
)
SUBSCRIPTIONS = Question(
    flag="--subscription", asked="Subscriptions whose registries are looked after", kind=SubscriptionId, many=True
)
ZONES = Question(
    flag="--zones-resource-group",
    asked="Resource group of the private DNS zones (its id, or its name; none: somebody else manages names)",
    kind=GroupId,
)
ENDPOINTS = Question(
    flag="--endpoints-resource-group",
    asked="Resource group for the private endpoints (its id, or its name)",
    kind=GroupId,
)
WORKSPACES = Question(
    flag="--workspace",
    asked="Ids of workspaces that share with the registries (empty: none)",
    kind=WorkspaceId,
    many=True,
)
PATTERNS = Question(flag="--registries", asked="Patterns of registry names", kind=NamePattern, many=True)
NO_ZONES = "none"
"""The answer that leaves names to somebody else."""


def _network_name(subnet: ResourceId) -> str:
    """How reports call the network: as Azure does, as far as a policy allows."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in subnet.names[0]
    )
    return kept.lstrip("._-")[:40] or "network"
