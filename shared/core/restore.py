"""
Undo: put network settings back as they were before the app closed anything.

The only place from which the app ever opens something, and only when somebody asked or when endpoints broke right after
a closing. A snapshot holds what was read then; restoring compares it with what is read now, so doing it twice writes once.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.core.arm import ResourceId
from shared.core.registry import Access, Json, Target, TargetKind

ACCESS = "publicNetworkAccess"
_READ_ONLY = frozenset({"state"})
"""Members inside network rules that Storage shows and does not take (`virtualNetworkRules[].state`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """Give *target* the network settings that it had; every member of *settings* replaces the present one."""

    kind: Literal["restore-settings"] = "restore-settings"
    target: ResourceId
    target_kind: TargetKind
    settings: dict[str, Json]
    depends_on: tuple[str, ...] = ()

    @property
    def resource(self) -> ResourceId:
        """What is written."""
        return self.target

    @property
    def sentence(self) -> str:
        """The change for a person."""
        names = " and ".join(sorted(self.settings))
        return f"restore {names} of {self.target_kind.value} {self.target.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Enforcement of a registry rests, because *by* asked for it; *why* in that person's words."""

    by: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """Snapshots are being restored; *why* is the sentence for the report."""

    kind: Literal["undo", "rollback"]
    since: datetime
    why: str


def plan_restoring(
    snapshots: Mapping[str, Mapping[str, Json]], targets: Iterable[Target]
) -> tuple[RestoreSettings, ...]:
    """List what makes *targets* be as their snapshots say; those without one are left alone."""
    found = []
    for target in targets:
        snapshot = snapshots.get(target.id.key)
        if snapshot is None:
            continue
        settings = {name: _writable(value) for name, value in snapshot.items() if value is not None}
        settings.setdefault(ACCESS, "Enabled")  # absent means enabled, and cannot be made absent again
        if not holds(target, settings):
            found.append(RestoreSettings(target=target.id, target_kind=target.kind, settings=settings))
    return tuple(found)


def holds(target: Target, settings: Mapping[str, Json]) -> bool:
    """Tell whether *target* has *settings* now."""
    present = target.network_settings
    return all(
        _opens(value) is (target.access is Access.OPEN)
        if name == ACCESS
        else _meaning(present.get(name)) == _meaning(value)
        for name, value in settings.items()
    )


def _opens(value: Json) -> bool:
    return str(value).lower() == "enabled"


def _meaning(value: Json) -> Json:
    """What a value says, however it is spelled: an empty list is an absent one (recorded of Storage), order is nothing."""
    if isinstance(value, dict):
        inner = {name: _meaning(each) for name, each in value.items() if name not in _READ_ONLY}
        return {name: each for name, each in inner.items() if each is not None and each not in ([], {})}
    if isinstance(value, list):
        return sorted((_meaning(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value


def _writable(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _writable(inner) for name, inner in value.items() if name not in _READ_ONLY}
    if isinstance(value, list):
        return [_writable(inner) for inner in value]
    return value
