"""
Which zones of a resource group do not exist, told by one list of the group instead of a refused read of each.

Asked only about zones that this process has not seen yet. Where most zones exist for years, that is once a process.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shared.cloud.private_dns import PrivateDns
from shared.cloud.shared_look import Look, begin_look
from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, Blocked
from shared.engine.ports import ZoneQuery

_WORTH_LISTING = 2
_REMEMBERED = 1024


class ZonePresence:
    """
    What this process knows of which zones exist.

    Args:
        oldest: Oldest list that answers somebody else's question.
    """

    def __init__(self, dns: PrivateDns, now: Callable[[], datetime], oldest: timedelta) -> None:
        self._dns = dns
        self._now = now
        self._oldest = oldest
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lists: OrderedDict[str, Look[frozenset[ResourceId] | None]] = OrderedDict()

    def note(self, zone: ResourceId, *, exists: bool) -> None:
        """A read of *zone* found it, or found none."""
        if not exists:
            self._seen.pop(zone.key, None)
            return
        self._seen[zone.key] = None
        self._seen.move_to_end(zone.key)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)

    async def absent(self, queries: Sequence[ZoneQuery]) -> frozenset[ResourceId]:
        """Those zones of *queries* that are known not to exist; the others have to be read."""
        unseen: dict[ResourceId, list[ZoneQuery]] = {}
        for query in queries:
            if query.zone.key not in self._seen:
                unseen.setdefault(query.zone.group, []).append(query)
        absent: set[ResourceId] = set()
        for group, asked in unseen.items():
            if len(asked) < _WORTH_LISTING or self._dns.is_large(group):
                continue
            present = await self._list(group, asked)
            if present is not None:
                absent |= {query.zone for query in asked} - present
        return frozenset(absent)

    async def _list(self, group: ResourceId, asked: Sequence[ZoneQuery]) -> frozenset[ResourceId] | None:
        now = self._now()
        sinces = [since for query in asked for since in (query.since,) if since is not None]
        since = max(sinces) if len(sinces) == len(asked) else None
        look = self._lists.get(group.key)
        if look is None or not look.serves(since, now, self._oldest):
            look = self._lists[group.key] = begin_look(lambda: self._present(group), now)
            self._lists.move_to_end(group.key)
            if len(self._lists) > _REMEMBERED:
                self._lists.popitem(last=False)
        return await look.answer()

    async def _present(self, group: ResourceId) -> frozenset[ResourceId] | None:
        try:
            return await self._dns.present(group)
        except (AccessDenied, Blocked):
            return None  # rights may lie on each zone alone: reading the zones tells what is missing, and for which of them
