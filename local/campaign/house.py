"""The house that a run of the campaign lives in: a workspace with other people's rules, torn storage, a sweep."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

from local.campaign.cases import Case, Kind
from local.campaign.torn import TornIndex, TornLeases, TornLedger, TornQueue
from local.campaign.weather import StormyAzure
from local.house import House
from local.memory import MemoryWorkQueue, QueueTrigger
from local.simulator import scenery
from local.simulator.event_grid import Disturb, Disturbance
from local.simulator.options import Options
from local.simulator.world import Resource
from local.sweep_house import SweepHouse
from shared.core.errors import RegistryIsolationError

MINUTE = timedelta(minutes=1)
_FOREIGN = (
    "/subscriptions/99999999-0000-4000-8000-000000000001/resourceGroups/rg-theirs/providers/"
    "Microsoft.MachineLearningServices/workspaces/theirs"
)
_POISON_AGAIN = timedelta(minutes=10)


class StormHouse(SweepHouse):
    """One installation of the app, over one Azure that does what *case* says."""

    azure: StormyAzure

    def __init__(self, case: Case) -> None:
        options = Options(public_access_propagates=case.seed % 2 == 0, registry_missing_once=case.seed % 3 == 0)
        super().__init__(options=options, azure_type=StormyAzure, seed=case.seed)
        self.case = case
        self.account = self._neighbours()
        self.ledger = TornLedger(self.azure)

    def _neighbours(self) -> Resource:
        """A workspace whose storage account lets somebody else in already."""
        acls = {
            "bypass": "Logging, Metrics",
            "defaultAction": "Deny",
            "ipRules": [{"value": "203.0.113.7", "action": "Allow"}],
            "resourceAccessRules": [{"tenantId": "99999999-0000-4000-8000-000000000009", "resourceId": _FOREIGN}],
        }
        account = scenery.create_storage_account(
            self.azure, "stshared", publicNetworkAccess="Disabled", networkAcls=acls
        )
        workspace = scenery.create_workspace(self.azure, "ws", account.id)
        self.document["sharing"] = [{"registries": ["*"], "workspaces": [workspace.id]}]
        self.document["deletion"] = {"grace_minutes": 5}
        self.azure.kept[account.key] = [_FOREIGN]
        return account

    def install(self) -> None:
        self.ledger = TornLedger(self.azure)
        self.leases = TornLeases(self.azure)
        self.index = TornIndex(self.azure)
        super().install()
        self.poison_trigger = QueueTrigger(
            self.poisoned,
            self._keep_poison,
            poison=MemoryWorkQueue(self.clock),
            max_dequeue_count=10**6,
            retry_after=_POISON_AGAIN,
        )

    def new_queue(self) -> MemoryWorkQueue:
        return TornQueue(self.clock, self.azure)

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        return [*super()._jobs(), self.poison_trigger.serve()]

    async def _keep_poison(self, text: str) -> None:
        await self.worker.keep_poison(text.encode())

    # --- what goes wrong ------------------------------------------------------------------------------------------------

    def let_loose(self) -> None:
        """From now on the case's faults strike, and its events are disturbed."""
        self.azure.watch(self.case.injections)
        self.azure.begin_outages()
        for each in self.case.injections:
            disturbance = _DISTURBANCES.get(each.kind)
            if disturbance is not None:
                times = each.amount if disturbance is Disturbance.DROP else None
                self.azure.events.disturb(Disturb(kind=disturbance, times=times, span=each.amount * MINUTE))

    def lift(self) -> None:
        """Everything is well again."""
        self.azure.lift()
        self.azure.events.disturbances.clear()

    def _step(self) -> float:
        """Not every second: the runs are many."""
        dues = [self.azure.next_due(), self.azure.events.next_due(), self.queue.next_visible]
        nearest = min((due for due in dues if due is not None), default=None)
        if nearest is None:
            return super()._step()
        return min(max((nearest - self.clock.now()).total_seconds(), 1.0), 5.0)

    # --- what is seen ---------------------------------------------------------------------------------------------------

    def rules(self) -> list[str]:
        """Who is let into the workspace's storage account."""
        acls = self.azure.require(self.account.id).properties["networkAcls"]
        return [str(rule["resourceId"]).lower() for rule in acls.get("resourceAccessRules", [])]

    async def quiet(self, registry: str) -> bool:
        """Nothing is planned, nothing runs, and no event is on its way."""
        if len(self.queue) or len(self.poisoned) or self.azure.events.next_due() or self.azure.next_due():
            return False
        row = await House.row(self, registry) if not self.azure.out(Kind.TABLE_DOWN) else None
        return not self.azure.out(Kind.TABLE_DOWN) and (row is None or row.claim is None)

    def bugs(self) -> list[str]:
        """Failures of the function that are no errors of the tree."""
        failures = [*self.trigger.failures, *self.poison_trigger.failures]
        return [repr(each) for each in failures if not isinstance(each, RegistryIsolationError)]


_DISTURBANCES = {
    Kind.EVENT_LATE: Disturbance.DELAY,
    Kind.EVENT_TWICE: Disturbance.DUPLICATE,
    Kind.EVENT_REORDERED: Disturbance.REORDER,
    Kind.EVENT_DROPPED: Disturbance.DROP,
}
