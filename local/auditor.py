"""
Look at every registry with the product's own engine, and say where each stands.

The inventory finds them, a preview observes and plans each one as a pass would. State lives in memory and is thrown away;
the transport refuses everything that could change something.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from local.audit_policy import Yardstick
from local.memory import MemoryLeases, MemoryLedger, MemoryWorkQueue
from local.read_only import ReadOnlyTransport
from shared.cloud.arm_client import ArmClient
from shared.cloud.arm_policies import ArmTransport
from shared.cloud.clock import SystemClock
from shared.cloud.control_plane import ArmControlPlane
from shared.cloud.documents import text
from shared.cloud.inventory import ResourceGraphInventory
from shared.core.arm import ResourceId
from shared.core.clouds import Cloud
from shared.core.errors import NotReadyYet, RegistryIsolationError, UnknownRegistry
from shared.core.posture import Posture, posture_of
from shared.core.report import Report
from shared.engine.pacing import Pacing
from shared.engine.ports import Clock
from shared.engine.preview import Preview, Previewer
from shared.engine.reconcile import Services

AT_ONCE = 8
"""Registries that are looked at side by side: far below what Resource Manager allows one caller to read."""
SUBSCRIPTIONS_API = "2022-12-01"
_USABLE = frozenset({"enabled", "warned", "pastdue"})


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far an audit is, for whoever watches; *missed* is why something could not be looked at."""

    found: int = 0
    looked: int = 0
    missed: list[str] = field(default_factory=list)


class Auditor(AbstractAsyncContextManager["Auditor"]):
    """
    Looks with one sign-in at one cloud; an async context manager that closes its connections.

    Args:
        credential: Whose rights are used.
        transport: Guarded here; nothing is written through it.
        endpoint: Of a simulated Azure; "" for the cloud's own.
    """

    def __init__(
        self,
        *,
        credential: Any,
        cloud: Cloud,
        transport: ArmTransport,
        endpoint: str = "",
        clock: Clock | None = None,
        told: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        self._credential = credential
        self._cloud = cloud
        self._transport = ReadOnlyTransport(transport)
        self._arm = ArmClient(credential=credential, cloud=cloud, transport=self._transport, endpoint=endpoint)
        self._clock = clock or SystemClock()
        self._told = told
        self.progress = Progress()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._transport.close()
        await self._credential.close()

    async def __aenter__(self) -> Self:
        return self

    @property
    def requests(self) -> int:
        """How many requests Azure was sent, all of them reads."""
        return self._transport.asked

    async def subscriptions(self) -> tuple[str, ...]:
        """Every subscription that the sign-in sees and that works."""
        listed = await self._arm.list("/subscriptions", SUBSCRIPTIONS_API, operation="list subscriptions")
        usable = (each for each in listed or () if text(each, "state").lower() in _USABLE)
        return tuple(sorted(text(each, "subscriptionId").lower() for each in usable))

    async def look(self, yardstick: Yardstick) -> AsyncIterator[Posture]:
        """
        Look at every registry in scope; postures come page by page, in the inventory's order.

        Raises:
            RegistryIsolationError: The inventory did not answer; what it said of single registries is in `progress`.
        """
        previewer = self._previewer(yardstick)
        async for page in self._pages(yardstick):
            self.progress.found += len(page)
            self._told(self.progress)
            limit = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(each, previewer, yardstick, limit)) for each in page]
            for task in tasks:
                if (posture := task.result()) is not None:
                    yield posture

    async def _pages(self, yardstick: Yardstick) -> AsyncIterator[tuple[ResourceId, ...]]:
        policy = yardstick.observe
        inventory = ResourceGraphInventory(
            arm=self._arm, policy=policy, zone_table=self._cloud.zones, clock=self._clock
        )
        cursor = ""
        while True:
            page = await inventory.page(cursor)
            yield tuple(each.id for each in page.registries if policy.in_scope(each.id))
            cursor = page.cursor
            if not cursor:
                return

    async def _one(
        self, registry: ResourceId, previewer: Previewer, yardstick: Yardstick, limit: asyncio.Semaphore
    ) -> Posture | None:
        async with limit:
            posture = await self._posture(registry, previewer, yardstick)
        self.progress.looked += 1
        self._told(self.progress)
        return posture

    async def _posture(self, registry: ResourceId, previewer: Previewer, yardstick: Yardstick) -> Posture | None:
        """None for a registry that was deleted since the inventory was made."""
        now = self._clock.now()
        try:
            preview = await previewer.preview(registry)
        except UnknownRegistry:
            return None
        except RegistryIsolationError as error:
            if not isinstance(error, NotReadyYet):
                self.progress.missed.append(f"{registry.name}: {error.sentence}")
            return posture_of(registry, "unknown", None, yardstick.judge, now=now, unknown=error.sentence)
        report = _report(preview, yardstick)
        return posture_of(
            registry, report.phase, report, yardstick.judge, now=now, picture=preview.picture, verified=now
        )

    def _previewer(self, yardstick: Yardstick) -> Previewer:
        return Previewer(
            Services(
                plane=ArmControlPlane(arm=self._arm, now=self._clock.now),
                ledger=MemoryLedger(),
                queue=MemoryWorkQueue(self._clock),
                leases=MemoryLeases(),
                clock=self._clock,
                policy=yardstick.observe,
                zone_table=self._cloud.zones,
                pacing=Pacing(),
            )
        )


def _report(preview: Preview, yardstick: Yardstick) -> Report:
    """What a pass in `mode: audit` would report, with the whole forecast in place of the next step."""
    if preview.forecast is None:
        return Report(registry=preview.registry, at=preview.at, phase="exempt")
    plan = preview.forecast.plan
    reasons = (*preview.unsafe, *plan.blocks, *(wait.reason for wait in plan.waits))
    isolated = plan.converged and not preview.forecast.changes
    return Report(
        registry=preview.registry,
        at=preview.at,
        phase="converged" if isolated and yardstick.plans else "audited",
        digest=preview.digest,
        reasons=tuple(dict.fromkeys(reasons)) if yardstick.plans else (),
        conditions=plan.conditions,
        findings=plan.findings,
        changes=tuple(change.sentence for change in preview.forecast.changes),
    )
