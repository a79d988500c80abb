"""
A dry run: observe one registry and forecast, as a pass would for the next request, and write nothing at all.

It takes the same steps as a pass on a copy of the row that is never saved, so that its digest is the one a pass finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.core.arm import ResourceId
from shared.core.audit import Effect, Seen, effects_of
from shared.core.errors import UnknownRegistry, UnsafePlan
from shared.core.forecast import Forecast, forecast
from shared.core.picture import Picture, picture_of
from shared.core.plan import Plan
from shared.core.planner import approved_endpoints
from shared.core.registry import Registry
from shared.core.report import Reason
from shared.core.requests import ReconcileRequest, RequestReason, WorkMessage
from shared.engine.auditing import guarded
from shared.engine.intake import next_generation
from shared.engine.observe import Observer
from shared.engine.preflight import preflight
from shared.engine.reconcile import Services
from shared.engine.results import recognise
from shared.engine.retrying import Retrier
from shared.engine.work import Work

PATIENCE = timedelta(seconds=30)
"""Longest that a client is kept waiting for Azure's answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """
    What a pass would do now, and what would follow.

    Attributes:
        exempt: Why the policy asks nothing of the registry; "" if it does. Then there is no forecast.
        unsafe: Why the first stage would be refused as a whole.
        effects: Change key to what the change does, as far as it is known before.
        picture: Its network as it was seen; None where the policy asks nothing.
    """

    registry: ResourceId
    at: datetime
    exempt: str = ""
    forecast: Forecast | None = None
    unsafe: tuple[Reason, ...] = ()
    effects: Mapping[str, Effect] = field(default_factory=dict)
    picture: Picture | None = None

    @property
    def digest(self) -> str:
        """Of everything that would be done; "" if that is nothing."""
        return self.forecast.digest if self.forecast else ""


class Previewer:
    """Makes dry runs; one per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._observer = Observer(services.plane, services.policy, services.zone_table)

    async def preview(self, registry: ResourceId) -> Preview:
        """
        Make a dry run of the next request for *registry*, which must be in the policy's scope.

        Raises:
            UnknownRegistry: Azure has no such registry.
            RegistryIsolationError: Whatever would end a pass: NotReadyYet, AccessDenied, Throttled…
        """
        services, now = self._services, self._services.clock.now()
        retrier = Retrier(services.clock, now + PATIENCE)
        entry = await retrier.call(lambda: services.ledger.read(registry))
        request = ReconcileRequest(registry=registry, reason=RequestReason.HTTP, origin="", received=now)
        row = next_generation(entry.row if entry else None, request, now)
        work = Work(services.ledger, entry, WorkMessage(registry=registry, generation=row.generation), retrier, now)
        work.row = row
        exempt = services.policy.exempt_targets(registry, on=now.date())
        found = await self._observer.observe(registry, retrier, row.zones, exempt, row.made)
        if found is None:
            raise UnknownRegistry(f"Azure has no registry {registry.name} there.", resource_id=registry.text)
        if not services.policy.in_scope(registry, found.document.tags):
            return Preview(registry=registry, at=now, exempt="The registry's tags take it out of the policy's scope.")
        recognise(work, found)
        found = await preflight(work, found, plane=services.plane, policy=services.policy, principal=services.principal)
        return self._foreseen(work, found, now)

    def _foreseen(self, work: Work, found: Registry, now: datetime) -> Preview:
        services = self._services
        memory = work.row.memory(now)
        foreseen = forecast(found, services.policy, services.zone_table, memory)
        return Preview(
            registry=work.registry,
            at=now,
            forecast=foreseen,
            unsafe=self._unsafe(foreseen.plan, found),
            effects=effects_of(foreseen.changes, Seen(registry=found), foreseen.digest),
            picture=picture_of(found, now),
        )

    def _unsafe(self, plan: Plan, found: Registry) -> tuple[Reason, ...]:
        try:
            guarded(plan, self._services.policy, approved_endpoints(found))
        except UnsafePlan as error:
            return (Reason(name=error.name, sentence=error.sentence, resource=found.id.text),)
        return ()
