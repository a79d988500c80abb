"""
One read for every registry of this process that waits for it: lists of a resource group, a virtual network.

Registries of one network share its resource groups, and each would read the same lists: when it begins, when its
endpoints are there, before it closes, after it closed. What makes sharing safe is the question's `since`: an answer counts
only if its reading began no earlier than that moment, at which the asker had already seen Azure finish what it asks about;
and never if it is older than `MAX_AGE`. A question without `since` is never answered from a shared read.

At ease nobody waits for anybody. The fewer of Resource Manager's reads are left, the longer the pause between two reads of
the same thing; whoever comes in between waits for the next one, at most `LONGEST_WAIT`, and shares it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import Document, resource_id
from shared.cloud.shared_look import Look, begin_look
from shared.core.arm import ResourceId
from shared.core.azure_limits import MANAGER_READS, bucket
from shared.engine.throttle import LONGEST_WAIT, Throttle

MAX_AGE = timedelta(seconds=30)
"""Oldest shared answer that anybody gets."""
_ACTIVE = timedelta(minutes=1)
_REMEMBERED = 1024
MOST_PAGES = 40
"""Of answers that are kept: ten networks full of endpoints (1,000 each), some 60 MiB. The youngest is kept however long."""
_API_VERSION = "2024-05-01"  # what is read of endpoints and interfaces has looked the same for years
_MANY = 9
"""Single reads within a minute, at ease, from which on those of several registries are made together."""
# Of what Resource Manager refills, for reads that are shared; the rest is for what each registry has to read itself.
_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it was read: documents by id, and how many pages it had."""

    documents: Mapping[ResourceId, Document]
    pages: int


@dataclass(slots=True)
class _Known[Answer]:
    """
    What is known of one thing.

    Attributes:
        requests: How many one read of it costs.
        spared: Requests that single reads have cost since the last shared one.
    """

    look: Look[Answer] | None = None
    requests: int = 1
    spared: int = 0
    last: datetime = field(default_factory=lambda: datetime.min.replace(tzinfo=UTC))


class SharedReads[Answer]:
    """
    Reads of one kind.

    Args:
        read: Asks Azure; gives the answer and how many requests it took.
    """

    def __init__(
        self,
        read: Callable[[ResourceId], Awaitable[tuple[Answer, int]]],
        throttle: Throttle,
        now: Callable[[], datetime],
    ) -> None:
        self._read = read
        self._throttle = throttle
        self._now = now
        self._known: OrderedDict[str, _Known[Answer]] = OrderedDict()

    def has(self, what: ResourceId, since: datetime | None) -> bool:
        """Tell whether an answer for one who needs it from after *since* is there or on its way."""
        look = self._of(what).look
        return look is not None and look.serves(since, self._now(), MAX_AGE)

    def pays(self, what: ResourceId, singles: int) -> bool:
        """
        Tell whether reading all of *what* pays for one who needs *singles* of it.

        It does once those who asked lately have spent as much on single ones.
        """
        known = self._of(what)
        if known.last < self._now() - _ACTIVE:
            known.spared = 0
        known.spared += singles
        return known.spared >= max(known.requests, 0 if self._pressure(what) else _MANY)

    async def answer(self, what: ResourceId, since: datetime | None) -> Answer:
        """What a read says that began at *since* or later; without *since*, one that begins now."""
        known = self._of(what)
        look = known.look
        if look is not None and look.serves(since, self._now(), MAX_AGE):
            return await look.answer()
        began = self._now()
        if since is not None:
            began = max(began, known.last + self._pause(what, known))
        self._tidy()
        look = known.look = begin_look(lambda: self._begin(what, known, began), began)
        known.last, known.spared = began, 0
        return await look.answer()

    async def _begin(self, what: ResourceId, known: _Known[Answer], began: datetime) -> Answer:
        early = (began - self._now()).total_seconds()
        if early > 0:
            await asyncio.sleep(early)
        answer, known.requests = await self._read(what)
        return answer

    def _tidy(self) -> None:
        """Let go of answers that serve nobody any more, and of those beyond the most that was least asked for."""
        oldest, pages = self._now() - MAX_AGE, 0
        for known in reversed(self._known.values()):
            if known.look is None or not known.look.task.done():
                continue
            if known.look.began < oldest or pages >= MOST_PAGES:
                known.look = None
            else:
                pages += known.requests

    def _pause(self, what: ResourceId, known: _Known[Answer]) -> timedelta:
        """With nothing left, all the things that are being read take together their share of what is refilled."""
        active = sum(each.last > self._now() - _ACTIVE for each in self._known.values())
        refill = self._throttle.refill(bucket(MANAGER_READS, what.subscription)) * _SHARE
        seconds = self._pressure(what) * known.requests * max(1, active) / refill
        return timedelta(seconds=min(seconds, LONGEST_WAIT))

    def _pressure(self, what: ResourceId) -> float:
        return self._throttle.pressure(bucket(MANAGER_READS, what.subscription))

    def _of(self, what: ResourceId) -> _Known[Answer]:
        known = self._known.setdefault(what.key, _Known())
        self._known.move_to_end(what.key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known


async def read_list(arm: ArmClient, path: str, *, operation: str) -> tuple[Listed, int]:
    """
    Every resource of a Microsoft.Network collection, by id; none if its scope does not exist.

    As plain JSON: the SDK makes objects of each entry, which takes a second of processor time for a thousand of them.
    """
    read = await arm.pages(path, _API_VERSION, operation=operation) or ()
    by_id = ((resource_id(document, "id"), document) for page in read for document in page)
    documents = {identifier: document for identifier, document in by_id if identifier is not None}
    return Listed(documents, max(1, len(read))), max(1, len(read))
