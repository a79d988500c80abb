"""
The composition root: settings become services, once per process, at the first invocation.

Importing this module imports nothing of the product and nothing of Azure's SDKs: a cold start that only acknowledges an
irrelevant event stays cheap, and what the queue door alone needs is made when it first knocks.
"""

import asyncio
import logging
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.cloud.arm_client import ArmClient
    from shared.cloud.clock import SystemClock
    from shared.cloud.ledger import TableLedger
    from shared.cloud.outcome_queue import StorageOutcomeQueue
    from shared.cloud.ownership_index import TableOwnerIndex
    from shared.cloud.state_clients import StateAccount
    from shared.cloud.sweep_queue import StorageSweepQueue
    from shared.cloud.sweeps import TableSweeps
    from shared.cloud.work_queue import StorageWorkQueue
    from shared.core.policy import IsolationPolicy
    from shared.engine.drift import DriftIntake
    from shared.engine.inquiry import Inquiry
    from shared.engine.intake import Intake
    from shared.engine.outcome_delivery import Deliverer
    from shared.engine.outcome_ports import OutcomeTopic
    from shared.engine.outcomes import Outbox
    from shared.engine.owner_ports import OwnerSource
    from shared.engine.owners import Owners
    from shared.engine.poison_list import PoisonList
    from shared.engine.postures import Postures
    from shared.engine.preview import Previewer
    from shared.engine.reception import Reception
    from shared.engine.reconcile import Reconciler, Services
    from shared.engine.remediation import Remediation
    from shared.engine.sweep import Sweeper
    from shared.engine.sweep_ports import Inventory
    from shared.engine.telemetry import Telemetry
    from shared.engine.undo import Undo
    from shared.engine.worker import Worker
    from shared.settings import Settings

# ruff: noqa: PLC0415 -- cold start: each service imports what it is made of when its door first knocks


class Runtime:
    """What the doors call: each service is made at its first use and then kept. Making one opens no connection."""

    def __init__(self, settings: "Settings", policy: "IsolationPolicy") -> None:
        self.settings = settings
        self.policy = policy

    # --- state --------------------------------------------------------------------------------------------------------

    @cached_property
    def clock(self) -> "SystemClock":
        """The system's clock."""
        from shared.cloud.clock import SystemClock

        return SystemClock()

    @cached_property
    def account(self) -> "StateAccount":
        """The app's own storage account."""
        from shared.cloud.credentials import create_credential
        from shared.cloud.state_clients import StateAccount

        state, cloud = self.settings.state, self.settings.azure.cloud
        credential = None if state.connection_string else create_credential(cloud, client_id=state.client_id)
        return StateAccount(
            connection_string=state.connection_string,
            blob_uri=state.blob_uri,
            queue_uri=state.queue_uri,
            table_uri=state.table_uri,
            credential=credential,
        )

    @cached_property
    def ledger(self) -> "TableLedger":
        """Rows and history."""
        from shared.cloud.ledger import TableLedger

        return TableLedger(self.account)

    @cached_property
    def queue(self) -> "StorageWorkQueue":
        """Where passes are asked for."""
        from shared.cloud.work_queue import StorageWorkQueue

        return StorageWorkQueue(self.account, self.settings.state.work_queue)

    @cached_property
    def telemetry(self) -> "Telemetry":
        """Who listens to what is measured."""
        import os

        from shared.cloud.telemetry_choice import choose

        return choose(os.environ)

    # --- what arrives -------------------------------------------------------------------------------------------------

    @cached_property
    def intake(self) -> "Intake":
        """Accepts requests from every door."""
        from shared.engine.intake import Intake

        return Intake(self.ledger, self.queue, self.clock)

    @cached_property
    def reception(self) -> "Reception":
        """Receives events."""
        from shared.engine.reception import Reception

        return Reception(
            intake=self.intake,
            ledger=self.ledger,
            clock=self.clock,
            own_principal=self.settings.azure.principal_id or None,
            subscriptions=self.policy.scope.subscriptions,
            owners=self.owners,
            drift=self.drift,
        )

    @cached_property
    def index(self) -> "TableOwnerIndex":
        """Which registry a resource belongs to, as passes noted it."""
        from shared.cloud.ownership_index import TableOwnerIndex

        return TableOwnerIndex(self.account)

    @cached_property
    def owners(self) -> "Owners":
        """Leads changed resources back to registries; Azure is asked only for those that the index does not know."""
        from shared.engine.owners import Owners

        def make_source() -> "OwnerSource":
            from shared.cloud.ownership_source import ArmOwnerSource

            return ArmOwnerSource(self.arm)

        return Owners(
            policy=self.policy, index=self.index, ledger=self.ledger, clock=self.clock, make_source=make_source
        )

    @cached_property
    def drift(self) -> "DriftIntake":
        """Takes in changes of registries' parts."""
        from shared.engine.drift import WINDOW, DriftIntake

        return DriftIntake(self.ledger, self.queue, self.clock, WINDOW * self.settings.simulation.pace)

    @cached_property
    def worker(self) -> "Worker":
        """Works messages off; the reconciler is made at the first one that can be read."""
        from shared.engine.mishaps import Mishaps
        from shared.engine.poison import PoisonCabinet
        from shared.engine.worker import Worker

        return Worker(
            make_reconciler=lambda: self.reconciler,
            reception=self.reception,
            poison=PoisonCabinet(self.ledger, self.clock, self.outbox, self.queue),
            mishaps=Mishaps(self.ledger, self.queue, self.clock),
        )

    @cached_property
    def poison(self) -> "PoisonList":
        """Shows and replays what failed."""
        from shared.engine.poison_list import PoisonList

        return PoisonList(self.ledger, self.intake, self.clock)

    # --- what people ask ----------------------------------------------------------------------------------------------

    @cached_property
    def inquiry(self) -> "Inquiry":
        """Answers from the ledger."""
        from shared.engine.inquiry import Inquiry

        return Inquiry(self.ledger, self.policy, self.clock)

    @cached_property
    def postures(self) -> "Postures":
        """Says where all registries stand."""
        from shared.engine.postures import Postures

        return Postures(self.ledger, self.policy, self.clock)

    @cached_property
    def undo(self) -> "Undo":
        """Undoes, pauses and resumes."""
        from shared.engine.undo import Undo

        return Undo(self.ledger, self.queue, self.clock)

    @cached_property
    def remediation(self) -> "Remediation":
        """Acts on one registry because somebody asked."""
        from shared.engine.remediation import Remediation

        return Remediation(
            inquiry=self.inquiry,
            intake=self.intake,
            undo=self.undo,
            ledger=self.ledger,
            policy=self.policy,
            clock=self.clock,
            make_previewer=lambda: self.previewer,
        )

    # --- outcomes -----------------------------------------------------------------------------------------------------

    @cached_property
    def outcome_queue(self) -> "StorageOutcomeQueue":
        """Where deliveries of outcome events are asked for."""
        from shared.cloud.outcome_queue import StorageOutcomeQueue

        return StorageOutcomeQueue(self.account, self.settings.state.work_queue)

    @cached_property
    def outbox(self) -> "Outbox | None":
        """Wakes the delivery of outcome events; None where no topic is configured."""
        from shared.engine.outcomes import Outbox

        return Outbox(self.outcome_queue) if self.settings.outcomes.topic else None

    @cached_property
    def topic(self) -> "OutcomeTopic | None":
        """Where outcome events go; None where no topic is configured."""
        outcomes, azure, ca_file = self.settings.outcomes, self.settings.azure, self.settings.simulation.arm_ca
        if not outcomes.topic:
            return None
        from shared.cloud.arm_policies import create_transport
        from shared.cloud.credentials import create_credential
        from shared.cloud.outcome_events import EventGridTopic

        return EventGridTopic(
            endpoint=outcomes.topic,
            source=outcomes.source,
            credential=create_credential(azure.cloud, client_id=azure.client_id, ca_file=ca_file),
            transport=create_transport(ca_file),
        )

    @cached_property
    def deliverer(self) -> "Deliverer":
        """Delivers outcome events."""
        from shared.engine.outcome_delivery import Deliverer
        from shared.engine.pacing import Pacing

        return Deliverer(
            ledger=self.ledger,
            topic=self.topic,
            queue=self.outcome_queue,
            clock=self.clock,
            pacing=Pacing(self.settings.simulation.pace),
        )

    # --- Azure --------------------------------------------------------------------------------------------------------

    @cached_property
    def arm(self) -> "ArmClient":
        """Azure Resource Manager; imports the management SDKs."""
        from shared.cloud.arm_client import ArmClient
        from shared.cloud.arm_policies import create_transport
        from shared.cloud.credentials import create_credential

        azure, simulation = self.settings.azure, self.settings.simulation
        return ArmClient(
            credential=create_credential(azure.cloud, client_id=azure.client_id, ca_file=simulation.arm_ca),
            cloud=azure.cloud,
            transport=create_transport(simulation.arm_ca),
            endpoint=simulation.arm_endpoint,
        )

    @cached_property
    def services(self) -> "Services":
        """What a reconciler works with."""
        from shared.cloud.control_plane import ArmControlPlane
        from shared.cloud.leases import BlobLeases
        from shared.engine.pacing import Pacing
        from shared.engine.reconcile import Services

        azure, pace = self.settings.azure, self.settings.simulation.pace
        return Services(
            plane=ArmControlPlane(
                arm=self.arm, now=self.clock.now, registry_api_version=azure.registry_api_version, pace=pace
            ),
            ledger=self.ledger,
            queue=self.queue,
            leases=BlobLeases(self.account, self.clock),
            clock=self.clock,
            policy=self.policy,
            zone_table=azure.cloud.zones,
            pacing=Pacing(pace),
            principal=azure.principal_id,
            outbox=self.outbox,
            index=self.index,
            throttle=self.arm.throttle,
            pass_deadline=self.settings.work.pass_deadline,
        )

    @cached_property
    def previewer(self) -> "Previewer":
        """Makes dry runs."""
        from shared.engine.preview import Previewer

        return Previewer(self.services)

    @cached_property
    def reconciler(self) -> "Reconciler":
        """Runs passes."""
        from shared.engine.reconcile import Reconciler

        return Reconciler(self.services)

    # --- sweeps -------------------------------------------------------------------------------------------------------

    @cached_property
    def inventory(self) -> "Inventory":
        """All registries, from Resource Graph."""
        from shared.cloud.inventory import ResourceGraphInventory

        zones = self.settings.azure.cloud.zones
        return ResourceGraphInventory(arm=self.arm, policy=self.policy, zone_table=zones, clock=self.clock)

    @cached_property
    def sweeps(self) -> "TableSweeps":
        """Records of sweeps."""
        from shared.cloud.sweeps import TableSweeps

        return TableSweeps(self.account)

    @cached_property
    def sweep_queue(self) -> "StorageSweepQueue":
        """Where a sweep asks for its next step."""
        from shared.cloud.sweep_queue import StorageSweepQueue

        return StorageSweepQueue(self.account, f"{self.settings.state.work_queue}-sweep")

    @cached_property
    def sweeper(self) -> "Sweeper":
        """Begins sweeps and does their steps."""
        from shared.engine.sweep import Sweeper, SweepServices
        from shared.engine.sweep_pages import Pages

        pages = Pages(
            ledger=self.ledger,
            intake=self.intake,
            clock=self.clock,
            policy=self.policy,
            zone_table=self.settings.azure.cloud.zones,
            nudger=self.outbox,
        )
        return Sweeper(
            SweepServices(
                make_inventory=lambda: self.inventory,
                ledger=self.ledger,
                sweeps=self.sweeps,
                queue=self.sweep_queue,
                pages=pages,
                reception=self.reception,
                clock=self.clock,
            )
        )


_made: Runtime | None = None
_making = asyncio.Lock()


async def runtime() -> Runtime:
    """
    The process's services, made at the first call.

    Raises:
        InvalidSettings: With every problem.
        InvalidPolicy: With every problem and its line. Nothing is kept of a failure: the next invocation tries again.
    """
    global _made  # noqa: PLW0603 -- the one thing that a process keeps between invocations
    async with _making:
        if _made is None:
            from shared.policy_file import load_policy
            from shared.settings import load

            settings = load()
            _made = compose(settings, load_policy(settings.work.policy_path))
        return _made


def compose(settings: "Settings", policy: "IsolationPolicy") -> Runtime:
    """Wire the engine to Azure as *settings* say."""
    # The SDKs tell each request at INFO, three lines a piece; the app's own lines say what matters.
    logging.getLogger("azure").setLevel(logging.WARNING)
    return Runtime(settings, policy)
