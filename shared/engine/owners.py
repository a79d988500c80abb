"""
Lead a changed resource back to the registries it belongs to.

The ledger's index answers for everything that a pass has seen. What it does not know is asked of Azure, never of the
event: the managed group's `managedBy`, the endpoint's tags. Answers, those above all that say "nobody's", are remembered
for a bounded time, so that a storm in somebody else's group costs one question.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import assert_never
from weakref import WeakValueDictionary

from shared.core.arm import ResourceId
from shared.core.errors import AccessDenied, Blocked, MalformedResourceId
from shared.core.naming import MANAGED_BY, MANAGED_BY_TAG, REGISTRY_TAG
from shared.core.owners import Kinship, Neighbourhood
from shared.core.policy import IsolationPolicy
from shared.core.requests import registry_id
from shared.engine.logs import tell
from shared.engine.owner_ports import OwnerIndex, OwnerSource
from shared.engine.ports import Clock, Ledger

REMEMBERED = timedelta(minutes=2)
"""How long an answer is believed: a registry that is being made soon owns what nobody owned."""
MOST_REMEMBERED = 2048


class Owners:
    """
    Tells owners; one per process, because it remembers.

    Args:
        make_source: Called at the first question that the index cannot answer: most processes never ask Azure.
    """

    def __init__(
        self,
        *,
        policy: IsolationPolicy,
        index: OwnerIndex,
        ledger: Ledger,
        clock: Clock,
        make_source: Callable[[], OwnerSource],
    ) -> None:
        self._policy = policy
        self._neighbourhood = Neighbourhood.of(policy)
        self._index = index
        self._ledger = ledger
        self._clock = clock
        self._make_source = make_source
        self._source: OwnerSource | None = None
        self._answers: OrderedDict[ResourceId, tuple[datetime, tuple[ResourceId, ...]]] = OrderedDict()
        self._asking: WeakValueDictionary[ResourceId, asyncio.Lock] = WeakValueDictionary()

    async def of(self, resource: ResourceId) -> tuple[ResourceId, ...]:
        """
        The registries in the policy's scope that *resource* belongs to; () without any reading where it cannot.

        Raises:
            RegistryIsolationError: The index or Azure could not be asked; ask again.
        """
        kinship = self._neighbourhood.kinship(resource)
        if kinship is None:
            return ()
        subject = resource.group if kinship is Kinship.MANAGED else resource
        async with self._asking.setdefault(subject, asyncio.Lock()):
            known = self._answers.get(subject)
            if known is not None and self._clock.now() < known[0]:
                return known[1]
            found = await self._index.find(subject) or await self._asked(kinship, subject)
            owners = tuple(registry for registry in found if self._policy.in_scope(registry))
            self._remember(subject, owners)
            return owners

    async def _asked(self, kinship: Kinship, subject: ResourceId) -> tuple[ResourceId, ...]:
        try:
            match kinship:
                case Kinship.MANAGED:
                    return _registries(await self._azure.managed_by(subject))
                case Kinship.ENDPOINT:
                    named = await self._named(subject)
                case Kinship.RECORD:
                    return ()  # a record says nothing of whom it is for; a pass that saw it has noted it
                case _:
                    assert_never(kinship)
        except (AccessDenied, Blocked) as error:  # asking again would not help: somebody else's group
            tell("ignore", level=logging.DEBUG, why=error.name, detail=error.sentence)
            return ()
        # Tags are free text, so the ledger has to know it. That the app may not read its own ledger is an error like any.
        return tuple(await self._ledger.summaries(named)) if named else ()

    async def _named(self, endpoint: ResourceId) -> tuple[ResourceId, ...]:
        """The registry that an endpoint's tags name."""
        tags = await self._azure.endpoint_tags(endpoint)
        return _registries(tags.get(REGISTRY_TAG, "")) if tags.get(MANAGED_BY_TAG) == MANAGED_BY else ()

    @property
    def _azure(self) -> OwnerSource:
        self._source = self._source or self._make_source()
        return self._source

    def _remember(self, subject: ResourceId, owners: tuple[ResourceId, ...]) -> None:
        self._answers[subject] = (self._clock.now() + REMEMBERED, owners)
        self._answers.move_to_end(subject)
        while len(self._answers) > MOST_REMEMBERED:
            self._answers.popitem(last=False)


def _registries(text: str) -> tuple[ResourceId, ...]:
    """The registry that *text* is the id of; () if it is anything else, such as a workspace."""
    try:
        return (registry_id(text),)
    except MalformedResourceId:
        return ()
