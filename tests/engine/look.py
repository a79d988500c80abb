"""One observation over a scripted control plane, and its calls."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from shared.core.policy import IsolationPolicy
from shared.core.registry import Registry
from shared.engine.observe import Observer
from tests.core.worlds import ZONES, a_policy, a_registry, private
from tests.engine.desk import ALPHA, a_retrier
from tests.engine.plane import ScriptedPlane
from tests.virtual_time import LoopClock

POLICY = a_policy()
NEW = a_registry(POLICY)
PRIVATE = private(NEW, POLICY)
BLOB_ZONE = ZONES["blob"][0]


class Look:
    """One observation and its calls."""

    def __init__(self, registry: Registry | None, policy: IsolationPolicy = POLICY) -> None:
        self.clock = LoopClock()
        self.plane = ScriptedPlane(registry, self.clock)
        self.policy = policy

    async def observe(self, zones: Mapping[str, tuple[str, ...]] | None = None, **members: Any) -> Registry:
        found = await self.maybe(zones, **members)
        assert found is not None
        return found

    async def maybe(self, zones: Mapping[str, tuple[str, ...]] | None = None, **members: Any) -> Registry | None:
        observer = Observer(self.plane, self.policy, ZONES)
        return await observer.observe(ALPHA, a_retrier(self.clock), zones or {}, **members)

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.plane.calls)
