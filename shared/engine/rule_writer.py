"""
Writes network rules of storage accounts: alone with the account, and one write for everybody who asks at the same moment.

Storage guards network rules with no ETag, so a lease per account keeps passes apart. Many registries may want into one
account at once; while one of them waits for the lease, the others gather behind it in this process, and it writes for all
of them. A write that fails is the failure of the one that tried; the next in line tries by itself.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from shared.core.arm import ResourceId
from shared.core.errors import RuleLimitReached
from shared.core.report import Done, Started
from shared.core.restore import RestoreSettings
from shared.core.storage_rules import AddResourceRules, RemoveResourceRules
from shared.engine.ports import ControlPlane, Leases


@dataclass(slots=True, eq=False, kw_only=True)
class _Asked:
    """One pass's wish, and whether somebody has written it."""

    change: AddResourceRules
    result: Started | Done | None = None


@dataclass(slots=True, kw_only=True)
class _Line:
    """Those who wait for one account."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[_Asked] = field(default_factory=list)


class RuleWriter:
    """One per process."""

    def __init__(self, plane: ControlPlane, leases: Leases) -> None:
        self._plane = plane
        self._leases = leases
        self._lines: dict[ResourceId, _Line] = {}

    async def write(self, change: AddResourceRules | RemoveResourceRules | RestoreSettings) -> Started | Done:
        """
        Make *change* hold.

        Raises:
            Busy: Another process is at work on the account.
        """
        if isinstance(change, AddResourceRules):
            return await self._in_line(change)
        async with self._leases.hold(lease_of(change.resource)):
            return await self._plane.start(change)

    async def _in_line(self, change: AddResourceRules) -> Started | Done:
        line = self._lines.setdefault(change.account, _Line())
        asked = _Asked(change=change)
        line.waiting.append(asked)
        try:
            async with line.lock:
                return asked.result or await self._for_all(line, asked)
        finally:
            line.waiting.remove(asked)
            if not line.waiting:
                self._lines.pop(change.account, None)

    async def _for_all(self, line: _Line, first: _Asked) -> Started | Done:
        async with self._leases.hold(lease_of(first.change.account)):
            together = [asked for asked in line.waiting if asked.result is None]
            try:
                result = await self._plane.start(_one_of(first.change, (asked.change for asked in together)))
            except RuleLimitReached:
                if len(together) == 1:
                    raise
                together = [first]  # there may be room for this one
                result = await self._plane.start(first.change)
        for asked in together:
            asked.result = result
        return result


def lease_of(account: ResourceId) -> str:
    """Name of the lease that guards an account's network rules; whoever writes them holds it."""
    return f"storage-account:{account.key}"


def _one_of(first: AddResourceRules, changes: Iterable[AddResourceRules]) -> AddResourceRules:
    """One change that makes all of *changes*, which concern one account, hold."""
    listed = tuple(changes)
    rules = {rule.key: rule for change in listed for rule in change.rules}
    return replace(first, rules=tuple(rules.values()), select_networks=any(each.select_networks for each in listed))
