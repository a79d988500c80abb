"""
The policy file as one frozen value: what the organisation wants, and for which registries.

`IsolationPolicy.from_document` reads a parsed document and either returns the policy or raises InvalidPolicy with
*every* problem and its path. Parsing text is done outside (`shared.policy_file`): this module, like all of core, does
no I/O and knows neither YAML nor the time of day.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import combinations
from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.core.arm import ResourceId
from shared.core.errors import InvalidPolicy
from shared.core.policy_sections import (
    Deletion,
    Dns,
    Egress,
    Exemption,
    Limits,
    Lockdown,
    Network,
    RegistryNames,
    Scope,
    Serves,
    Sharing,
    StorageTarget,
    Tags,
    Target,
    Targets,
)
from shared.core.policy_values import Section, matches, overlap
from shared.core.registry import TargetKind

__all__ = ["Exemption", "IsolationPolicy", "Network"]

type Path = tuple[str | int, ...]
"""Where in the document: keys and list positions."""

type Place = tuple[int, int]
"""Line and column, each counted from 1."""

type _Problem = tuple[Path, str]

_MOST_TOLD = 200
"""Problems told at once; nobody corrects more by hand, and a hostile file has a hundred thousand."""
_LONGEST_KEY = 64


def _whole(value: object) -> object:
    if type(value) is not int:  # True equals 1, and is no version
        raise ValueError("must be 1")
    return value


class IsolationPolicy(Section):
    """How Azure Machine Learning registries are kept off the public internet."""

    version: Annotated[Literal[1], BeforeValidator(_whole)]
    """Version of this format."""

    mode: Literal["enforce", "audit"]
    """`enforce` changes what is not as it should be; `audit` only reports it."""

    scope: Scope
    """Which registries are looked after."""

    networks: tuple[Network, ...] = ()
    """Where endpoints go; several may serve one registry."""

    targets: Targets = Targets()
    """What happens to the registry, its storage and its container registry."""

    lockdown: Lockdown = Lockdown()
    """When public access is closed."""

    sharing: tuple[Sharing, ...] = ()
    """Workspaces that share assets with registries."""

    egress: tuple[Egress, ...] = ()
    """Outbound rules for workspaces that use public registries."""

    exemptions: tuple[Exemption, ...] = ()
    """Exceptions with an owner and an end."""

    deletion: Deletion = Deletion()
    """What happens after a registry was deleted."""

    limits: Limits = Limits()
    """Brakes."""

    @classmethod
    def from_document(
        cls, document: object, *, source: str = "policy", places: Mapping[Path, Place] | None = None
    ) -> Self:
        """
        Read a parsed policy.

        Args:
            document: What the YAML or JSON parser made of the file.
            source: What a person calls the file.
            places: Line and column by path, where the parser knows them.

        Raises:
            InvalidPolicy: With every problem, each with its line and column where known, and its path.
        """
        if not isinstance(document, Mapping):
            what = "is empty" if document is None else f"holds a {type(document).__name__}"
            raise InvalidPolicy([f"it {what}; a mapping that begins with `version: 1` is needed"], source=source)
        problems: list[_Problem] = []
        policy: Self | None = None
        try:
            policy = cls.model_validate(document)
        except ValidationError as error:
            problems += _problems(error.errors(include_url=False, include_input=False))
        sections = cls._readable_sections(document, {path[0] for path, _ in problems if path})
        problems += [problem for check in _CHECKS for problem in check(sections)]
        if policy is None or problems:
            known = places or {}
            ordered = sorted(problems, key=lambda problem: _place(problem[0], known) or (0, 0))
            told = [_told(path, sentence, known) for path, sentence in ordered[:_MOST_TOLD]]
            more = [f"and {len(ordered) - _MOST_TOLD} more"] if len(ordered) > _MOST_TOLD else []
            raise InvalidPolicy([*told, *more], source=source)
        return policy

    @classmethod
    def _readable_sections(cls, document: Mapping[Any, Any], broken: set[str | int]) -> dict[str, Any]:
        """The top-level sections that can be read, so that one broken section does not hide a contradiction."""
        sections: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            if name not in broken and (name in document or not field.is_required()):
                adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", field.annotation))
                sections[name] = adapter.validate_python(document[name]) if name in document else field.default
        return sections

    def in_scope(self, registry: ResourceId, tags: Mapping[str, str] | None = None) -> bool:
        """
        Tell whether the policy looks after *registry* at all.

        Args:
            tags: The registry's tags; None if they are not known yet, which leaves tag rules out.
        """
        names = self.scope.registries
        return (
            registry.subscription.lower() in self.scope.subscriptions
            and matches(names.include, registry.name)
            and not matches(names.exclude, registry.name)
            and (tags is None or _carries(self.scope.tags, tags))
        )

    def networks_for(self, registry: ResourceId, regions: tuple[str, ...]) -> tuple[Network, ...]:
        """List the networks that receive endpoints of *registry*, which exists in *regions*, in the file's order."""
        return tuple(network for network in self.networks if network.serves_registry(registry.name, regions))

    def exemptions_for(self, registry: ResourceId, *, on: date) -> tuple[Exemption, ...]:
        """List the exemptions of *registry* that hold on the day *on* (the last day included)."""
        return tuple(
            exemption
            for exemption in self.exemptions
            if exemption.expires >= on and matches((exemption.registry,), registry.name)
        )

    def exempt_targets(self, registry: ResourceId, *, on: date) -> frozenset[TargetKind]:
        """The kinds of resources of *registry* that are left as they are on the day *on*."""
        return frozenset(target for exemption in self.exemptions_for(registry, on=on) for target in exemption.targets)

    def sharing_for(self, registry: ResourceId) -> tuple[Sharing, ...]:
        """List what *registry* shares with."""
        return tuple(entry for entry in self.sharing if matches(entry.registries, registry.name))

    def egress_for(self, registry: ResourceId) -> tuple[Egress, ...]:
        """List the security groups that need a way out to *registry*."""
        return tuple(entry for entry in self.egress if matches(entry.registries, registry.name))


# --- contradictions between sections ----------------------------------------------------------------------------------


def _names_repeat(sections: Mapping[str, Any]) -> Iterator[_Problem]:
    seen: dict[str, int] = {}
    for index, network in enumerate(sections.get("networks", ())):
        first = seen.setdefault(network.name.lower(), index)
        if first != index:
            yield ("networks", index, "name"), f"networks[{first}] is called {network.name} already"


def _subnets_repeat(sections: Mapping[str, Any]) -> Iterator[_Problem]:
    for (first, one), (index, other) in combinations(enumerate(sections.get("networks", ())), 2):
        if one.subnet == other.subnet and one.serves.meets(other.serves):
            yield ("networks", index, "serves"), f"networks[{first}] serves some of the same registries in this subnet"


def _networks_missing(sections: Mapping[str, Any]) -> Iterator[_Problem]:
    targets: Targets | None = sections.get("targets")
    if targets is None or sections.get("networks", True):
        return
    wanting = [kind.value for kind in TargetKind if getattr(targets, kind.value).endpoint]
    if wanting:
        kinds = ", ".join(wanting)
        yield (
            ("networks",),
            f"at least one network is needed for the endpoints of {kinds} (or set their endpoint: false)",
        )


def _security_groups_repeat(sections: Mapping[str, Any]) -> Iterator[_Problem]:
    for (first, one), (index, other) in combinations(enumerate(sections.get("egress", ())), 2):
        if one.nsg == other.nsg and overlap(one.registries, other.registries):
            yield ("egress", index, "nsg"), f"egress[{first}] names the same group for some of the same registries"


_CHECKS: tuple[Callable[[Mapping[str, Any]], Iterator[_Problem]], ...] = (
    _names_repeat,
    _subnets_repeat,
    _networks_missing,
    _security_groups_repeat,
)


# --- telling problems -------------------------------------------------------------------------------------------------

_KEYS = sorted(
    {
        key
        for section in (
            IsolationPolicy, Scope, RegistryNames, Tags, Network, Serves, Dns, Targets, Target, StorageTarget, Lockdown,
            Sharing, Egress, Exemption, Deletion, Limits,
        )
        for key in section.model_fields
    }
)  # fmt: skip


def _problems(details: list[ErrorDetails]) -> Iterator[_Problem]:
    around = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    for detail in details:
        if not (detail["type"] == "too_short" and detail["loc"] in around):  # short only because items were refused
            yield _problem(detail)


def _problem(detail: ErrorDetails) -> _Problem:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    match detail["type"]:
        case "extra_forbidden":
            near = _nearest(str(path[-1]))
            return path, "is not a known key" + (f"; did you mean {near[0]}?" if near else "")
        case "missing":
            return path, "is needed"
        case "string_too_short" | "too_short":
            return path, "must not be empty"
        case "date_from_datetime_parsing" | "date_parsing" | "date_from_datetime_inexact":
            return path, "must be a day like 2027-01-31"
        case "value_error":
            return path, str(detail["ctx"]["error"])
        case _:
            message = detail["msg"]
            return path, message[:1].lower() + message[1:]


@lru_cache(maxsize=1024)
def _nearest(key: str) -> list[str]:
    return difflib.get_close_matches(key, _KEYS, n=1) if len(key) <= _LONGEST_KEY else []


def _told(path: Path, sentence: str, places: Mapping[Path, Place]) -> str:
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    place = _place(path, places)
    text = f"{name[:200]}: {sentence}" if name else sentence
    return text if place is None else f"{shown(place)}: {text}"


def shown(place: Place) -> str:
    """*place* as every problem of a file begins."""
    return f"line {place[0]}, column {place[1]}"


def _place(path: Path, places: Mapping[Path, Place]) -> Place | None:
    """Where *path* stands, or the nearest thing around it that the file has."""
    return next((places[path[:length]] for length in range(len(path), -1, -1) if path[:length] in places), None)


def _carries(wanted: Tags, tags: Mapping[str, str]) -> bool:
    own = {name.lower(): value for name, value in tags.items()}

    def carries(name: str, value: str) -> bool:
        return name.lower() in own and value in {"*", own[name.lower()]}

    return all(carries(*pair) for pair in wanted.include.items()) and not any(
        carries(*pair) for pair in wanted.exclude.items()
    )
