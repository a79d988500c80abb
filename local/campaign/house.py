"""The house that a run of the campaign lives in: neighbours with rights of their own, torn storage, a timer."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from handlers.sweep import sweep_timer
from local.campaign.cases import Case, Injection, Place
from local.campaign.kinds import Kind
from local.campaign.torn import TornCredential, TornIndex, TornLeases, TornLedger, TornQueue, TornSweeps
from local.campaign.weather import StormyAzure
from local.host.retries import declared
from local.house import APP, as_id
from local.memory import MemoryWorkQueue, QueueTrigger
from local.simulator import scenery
from local.simulator.event_grid import Disturb, Disturbance
from local.simulator.options import Options
from local.simulator.world import Resource
from local.sweep_house import LAG, SweepHouse
from shared.core.errors import RegistryIsolationError
from shared.core.report import Outcome
from shared.engine.records import LedgerRow

MINUTE = timedelta(minutes=1)
HALF_A_DAY = timedelta(hours=12)
_FOREIGN = (
    "/subscriptions/99999999-0000-4000-8000-000000000001/resourceGroups/rg-theirs/providers/"
    "Microsoft.MachineLearningServices/workspaces/theirs"
)
THEIR_ENDPOINT = "pe-theirs"
_POISON_AGAIN = timedelta(minutes=10)


class StormHouse(SweepHouse):
    """One installation of the app, over one Azure that does what *case* says."""

    azure: StormyAzure
    ledger: TornLedger
    leases: TornLeases
    index: TornIndex

    def __init__(self, case: Case, crossroads: Callable[[Place], Case | None] | None = None) -> None:
        options = Options(public_access_propagates=case.seed % 2 == 0, registry_missing_once=case.seed % 3 == 0)
        super().__init__(options=options, azure_type=StormyAzure, seed=case.seed)
        self.case = case
        self._crossroads = crossroads
        self.azure.turn = self._turn
        self.azure.kill = self._die
        self._lives_again: datetime | None = None
        """When another process begins; None while one lives."""
        self.names: list[str] = ["contoso"]
        self.group = ""
        """The security group of the story, if it has one."""
        self.coming: list[dict[str, Any]] = []
        """Networks that the story's policy gets later."""
        self.before: dict[str, Any] = {}
        """Network settings before the isolation, where the story is about them."""
        self.account = self._neighbours()
        self.sweeps = TornSweeps(self.azure)
        self.azure.watch.subnets.append(self.scene.subnet.lower())
        self.azure.watch.places += [self.scene.network_group.lower(), self.scene.dns_group.lower(), self.account.key]

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
        self.azure.watch.kept[account.key] = [_FOREIGN]
        self.azure.watch.theirs += [self.scene.virtual_network.lower(), self._their_endpoint(account).lower()]
        return account

    def _their_endpoint(self, account: Resource) -> str:
        """Somebody else's endpoint among the app's, to the same kind of target; gives its id."""
        endpoint = f"{self.scene.network_group}/providers/Microsoft.Network/privateEndpoints/{THEIR_ENDPOINT}"
        link = {"name": "theirs", "properties": {"privateLinkServiceId": account.id, "groupIds": ["blob"]}}
        properties = {"subnet": {"id": self.scene.subnet}, "privateLinkServiceConnections": [link]}
        body = {"location": "westeurope", "properties": properties}
        scenery.send(self.azure, "PUT", endpoint, body, api_version=scenery.NETWORK_API)
        scenery.rest(self.azure)
        return endpoint

    def endpoints(self) -> list[Resource]:
        """Every endpoint but somebody else's."""
        return [each for each in super().endpoints() if each.name != THEIR_ENDPOINT]

    def add_network(self, name: str, prefix: str, *, zones: str = "") -> str:
        subnet = super().add_network(name, prefix, zones=zones)
        self.azure.watch.subnets.append(subnet.lower())
        self.azure.watch.places.append(subnet.lower().partition("/providers/")[0])
        return subnet

    def install(self) -> None:
        self.ledger = TornLedger(self.azure)
        self.leases = TornLeases(self.azure)
        self.index = TornIndex(self.azure)
        self.begin_process()

    def begin_process(self) -> None:
        """Make a process of the app over the storage that is there."""
        super().install()
        self.poison_trigger = QueueTrigger(
            self.poisoned,
            self._keep_poison,
            poison=MemoryWorkQueue(self.clock),
            max_dequeue_count=10**6,
            retry_after=_POISON_AGAIN,
        )

    # --- a process that ends --------------------------------------------------------------------------------------------

    def _die(self, after: timedelta) -> None:
        """End the process in the middle of whatever it does."""
        self._lives_again = self.clock.now() + after
        for task in self._tasks:
            task.cancel()

    async def live(self, until: Callable[[], Awaitable[bool]], limit: timedelta = timedelta(hours=2)) -> bool:
        async def revived() -> bool:
            if self._lives_again is not None:
                await self._revive(self._lives_again)
            return await until()

        return await super().live(revived, limit)

    async def deploy(self) -> None:
        """Another process takes over, with the policy of now."""
        self._die(timedelta())
        await self._revive(self.clock.now())

    async def _revive(self, at: datetime) -> None:
        """A new process over the same storage: nothing of the old one is in it but what its functions raised."""
        await self.stop()
        await self.clock.sleep(at - self.clock.now())
        self._lives_again = None
        queues, failures = self._queues(), [each.failures for each in self._triggers()]
        self.begin_process()
        for queue, old in zip(self._queues(), queues, strict=True):
            queue.take_over(old)
        for trigger, told in zip(self._triggers(), failures, strict=True):
            trigger.failures = told
        self._tasks = [asyncio.create_task(job) for job in self._jobs()]

    def _queues(self) -> list[MemoryWorkQueue]:
        return [self.queue, self.poisoned, self.steps, self.poisoned_steps]

    def _triggers(self) -> list[QueueTrigger]:
        return [self.trigger, self.poison_trigger, self.sweep_trigger]

    def credential(self) -> TornCredential:
        return TornCredential(self.azure, APP)

    def new_queue(self) -> MemoryWorkQueue:
        return TornQueue(self.clock, self.azure)

    def _jobs(self) -> list[Coroutine[Any, Any, None]]:
        return [*super()._jobs(), self.poison_trigger.serve(), self.sweep_trigger.serve()]

    async def _keep_poison(self, text: str) -> None:
        await self.worker.keep_poison(text.encode())

    # --- what goes wrong ------------------------------------------------------------------------------------------------

    def let_loose(self) -> None:
        """From now on the case's faults strike, and its events are disturbed."""
        self._turn(Place("loose"))
        self.azure.advance(self.clock.now())  # else what is out for minutes would be over before the story begins
        self.azure.let_loose(self.case.injections)
        for each in self.case.injections:
            disturbance = _DISTURBANCES.get(each.kind)
            if disturbance is not None:
                times = each.amount if disturbance is Disturbance.DROP else None
                self.azure.events.disturb(Disturb(kind=disturbance, times=times, span=each.amount * MINUTE))

    def _turn(self, place: Place) -> Sequence[Injection] | None:
        """At a crossroads another case may be played from here on."""
        case = self._crossroads(place) if self._crossroads else None
        if case is None:
            return None
        self.case = case
        return case.injections

    def lift(self) -> None:
        """Everything is well again."""
        self._crossroads = None
        self.azure.lift()
        self.azure.events.disturbances.clear()

    def _step(self) -> float:
        """Not every second: the runs are many."""
        dues = [self.azure.next_due(), self.azure.events.next_due(), self.queue.next_visible, self.steps.next_visible]
        nearest = min((due for due in dues if due is not None), default=None)
        if nearest is None:
            return super()._step()
        return min(max((nearest - self.clock.now()).total_seconds(), 1.0), 5.0)

    # --- the timer ------------------------------------------------------------------------------------------------------

    async def fire_timer(self) -> None:
        """One sweep, once Resource Graph may have seen the present, until everything it asked for has been done."""
        await self.live(self.after(LAG))
        if await self._begin_sweep():
            await self.live(self.idle, HALF_A_DAY)

    async def _begin_sweep(self) -> bool:
        """Do what the host does for a timer: run its function again by its own retry policy; whether it ended well."""
        policy, rng, retry = declared(sweep_timer), random.Random(self.case.seed), 0
        while True:
            try:
                await self.sweeper.begin("timer", "campaign")
            except RegistryIsolationError:
                retry += 1
                if policy is None or not policy.allows(retry):
                    return False  # until its next occurrence
                await self.live(self.after(policy.delay(retry, rng)))
            else:
                return True
        raise AssertionError

    # --- what is seen ---------------------------------------------------------------------------------------------------

    @property
    def registries_of_story(self) -> list[str]:
        """Ids of the registries that the story is about."""
        return [scenery.registry_id(self.scene.registries_group, name) for name in self.names]

    def rules(self) -> list[str]:
        """Who is let into the workspace's storage account."""
        acls = self.azure.require(self.account.id).properties["networkAcls"]
        return [str(rule["resourceId"]).lower() for rule in acls.get("resourceAccessRules", [])]

    async def seen(self, registry: str) -> LedgerRow | None:
        """The registry's row, whatever the weather."""
        return await self.ledger.seen(as_id(registry))

    async def outcomes(self) -> list[Outcome | None]:
        """What the app says of each registry."""
        rows = [await self.seen(registry) for registry in self.registries_of_story]
        return [row.outcome if row else None for row in rows]

    async def quiet(self) -> bool:
        """Nothing is planned, nothing runs, and no event is on its way."""
        if len(self.queue) or len(self.poisoned) or self.azure.events.next_due() or self.azure.next_due():
            return False
        if len(self.steps) or self.azure.out(Kind.TABLE_DOWN):
            return False
        rows = [await self.seen(registry) for registry in self.registries_of_story]
        return all(row is None or row.claim is None for row in rows)

    def bugs(self) -> list[str]:
        """Failures of the functions that are no errors of the tree."""
        failures = [each for trigger in self._triggers() for each in trigger.failures]
        return [repr(each) for each in failures if not isinstance(each, RegistryIsolationError)]


_DISTURBANCES = {
    Kind.EVENT_LATE: Disturbance.DELAY,
    Kind.EVENT_TWICE: Disturbance.DUPLICATE,
    Kind.EVENT_REORDERED: Disturbance.REORDER,
    Kind.EVENT_DROPPED: Disturbance.DROP,
}
