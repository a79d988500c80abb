"""
Undo: put network settings back as they were before the app closed anything.

The only place from which the app ever opens something, and only when somebody asked or when endpoints broke right after
a closing. A snapshot holds what was read then; restoring compares it with what is read now, so doing it twice writes once.

Undo takes back what the app did, not what other people did since: a rule in a list that the snapshot does not know stays,
and one that the app added goes, even if a later snapshot shows it.

    entry of a list of rules       in the snapshot     only there now     added by the app
    after restoring                there               there              gone
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.core.arm import ResourceId
from shared.core.registry import Access, Json, Target, TargetKind
from shared.core.storage_rules import AddedRule, ResourceRule, rule_key

ACCESS = "publicNetworkAccess"
_READ_ONLY = frozenset({"state"})
"""Members inside network rules that Storage shows and does not take (`virtualNetworkRules[].state`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """
    Give *target* the network settings that it had.

    Every member of *settings* replaces the present one, except that its lists keep what others have added since and lose
    *own_rules*, which the app added.
    """

    kind: Literal["restore-settings"] = "restore-settings"
    target: ResourceId
    target_kind: TargetKind
    settings: dict[str, Json]
    own_rules: tuple[ResourceRule, ...] = ()
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
    """
    Snapshots are being restored.

    Attributes:
        why: The sentence for the report.
        written: Since when Azure has accepted all that the last request had left to write; None before that.
        shown: Since when every look has shown the snapshots; None if the last one did not.
    """

    kind: Literal["undo", "rollback"]
    since: datetime
    why: str
    written: datetime | None = None
    shown: datetime | None = None


def plan_restoring(
    snapshots: Mapping[str, Mapping[str, Json]], targets: Iterable[Target], added: Iterable[AddedRule] = ()
) -> tuple[RestoreSettings, ...]:
    """
    List what makes *targets* be as their snapshots say; those without one are left alone.

    Args:
        added: Resource instance rules that the app added.
    """
    own = tuple(added)
    found = []
    for target in targets:
        snapshot = snapshots.get(target.id.key)
        if snapshot is None:
            continue
        settings = {name: _writable(value) for name, value in snapshot.items() if value is not None}
        settings.setdefault(ACCESS, "Enabled")  # absent means enabled, and cannot be made absent again
        rules = tuple(each.rule for each in own if each.account == target.id)
        change = RestoreSettings(target=target.id, target_kind=target.kind, settings=settings, own_rules=rules)
        if not holds(target, change):
            found.append(change)
    return tuple(found)


def holds(target: Target, change: RestoreSettings) -> bool:
    """Tell whether *target* is as *change* asks."""
    present = target.network_settings
    wanted = body_of(target, change)
    return all(
        _opens(value) is (target.access is Access.OPEN)
        if name == ACCESS
        else _meaning(present.get(name)) == _meaning(value)
        for name, value in wanted.items()
    )


def body_of(target: Target, change: RestoreSettings) -> dict[str, Json]:
    """The members of the write that makes *change* hold for *target* as it was just read."""
    own = {rule.key for rule in change.own_rules}
    return {
        name: _with_later_rules(value, target.network_settings.get(name), own)
        for name, value in change.settings.items()
    }


def _with_later_rules(then: Json, now: Json, own: set[tuple[str, str]]) -> Json:
    """*then*, and in its lists what *now* holds besides, but for *own* rules."""
    if not isinstance(then, dict):
        return then
    merged = {name: _without(entries, own) for name, entries in then.items()}
    for name, entries in now.items() if isinstance(now, dict) else ():
        before = merged.get(name) or []
        if isinstance(entries, list) and isinstance(before, list):
            known = {_identity(entry) for entry in before}
            later = [_writable(each) for each in _without(entries, own) if _identity(each) not in known]
            if later:
                merged[name] = [*before, *later]
    return merged


def _without[T](entries: T, own: set[tuple[str, str]]) -> T | list[Json]:
    return [each for each in entries if rule_key(each) not in own] if isinstance(entries, list) else entries


def _identity(entry: Json) -> str:
    """What tells two rules apart; Azure disagrees with itself about casing."""
    return json.dumps(_meaning(entry), sort_keys=True).lower()


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
