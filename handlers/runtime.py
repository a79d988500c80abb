"""
The composition root: settings become services, once per process, at the first invocation.

Importing this module imports nothing of the product and nothing of Azure's SDKs: a cold start that only acknowledges an
irrelevant event stays cheap, and what the queue door alone needs is made when it first knocks.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.cloud.state_clients import StateAccount
    from shared.core.policy import IsolationPolicy
    from shared.engine.ports import Clock, Ledger, WorkQueue
    from shared.engine.reception import Reception
    from shared.engine.reconcile import Reconciler
    from shared.engine.worker import Worker
    from shared.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the doors call."""

    reception: "Reception"
    worker: "Worker"


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
            from shared.policy_file import load_policy  # noqa: PLC0415 -- cold start
            from shared.settings import load  # noqa: PLC0415

            settings = load()
            _made = compose(settings, load_policy(settings.work.policy_path))
        return _made


def compose(settings: "Settings", policy: "IsolationPolicy") -> Runtime:
    """Wire the engine to Azure as *settings* say; opens no connection yet."""
    from shared.cloud.clock import SystemClock  # noqa: PLC0415 -- cold start
    from shared.cloud.credentials import create_credential  # noqa: PLC0415
    from shared.cloud.ledger import TableLedger  # noqa: PLC0415
    from shared.cloud.state_clients import StateAccount  # noqa: PLC0415
    from shared.cloud.work_queue import StorageWorkQueue  # noqa: PLC0415
    from shared.engine.intake import Intake  # noqa: PLC0415
    from shared.engine.poison import PoisonCabinet  # noqa: PLC0415
    from shared.engine.reception import Reception  # noqa: PLC0415
    from shared.engine.worker import Worker  # noqa: PLC0415

    # The SDKs tell each request at INFO, three lines a piece; the app's own lines say what matters.
    logging.getLogger("azure").setLevel(logging.WARNING)
    clock = SystemClock()
    state = settings.state
    credential = None if state.connection_string else create_credential(settings.azure.cloud, client_id=state.client_id)
    account = StateAccount(
        connection_string=state.connection_string,
        blob_uri=state.blob_uri,
        queue_uri=state.queue_uri,
        table_uri=state.table_uri,
        credential=credential,
    )
    ledger = TableLedger(account)
    queue = StorageWorkQueue(account, state.work_queue)
    reception = Reception(
        intake=Intake(ledger, queue, clock),
        ledger=ledger,
        clock=clock,
        own_principal=settings.azure.principal_id or None,
        subscriptions=policy.scope.subscriptions,
    )
    worker = Worker(
        make_reconciler=lambda: compose_reconciler(settings, policy, account, ledger, queue, clock),
        reception=reception,
        poison=PoisonCabinet(ledger, clock),
    )
    return Runtime(reception=reception, worker=worker)


def compose_reconciler(
    settings: "Settings",
    policy: "IsolationPolicy",
    account: "StateAccount",
    ledger: "Ledger",
    queue: "WorkQueue",
    clock: "Clock",
) -> "Reconciler":
    """Wire the reconciler to Azure Resource Manager; imports the management SDKs."""
    from shared.cloud.arm_client import ArmClient  # noqa: PLC0415 -- cold start
    from shared.cloud.arm_policies import create_transport  # noqa: PLC0415
    from shared.cloud.control_plane import ArmControlPlane  # noqa: PLC0415
    from shared.cloud.credentials import create_credential  # noqa: PLC0415
    from shared.cloud.leases import BlobLeases  # noqa: PLC0415
    from shared.engine.pacing import Pacing  # noqa: PLC0415
    from shared.engine.reconcile import Reconciler, Services  # noqa: PLC0415

    cloud = settings.azure.cloud
    arm = ArmClient(
        credential=create_credential(cloud, client_id=settings.azure.client_id, ca_file=settings.simulation.arm_ca),
        cloud=cloud,
        transport=create_transport(settings.simulation.arm_ca),
        endpoint=settings.simulation.arm_endpoint,
    )
    plane = ArmControlPlane(arm=arm, now=clock.now, registry_api_version=settings.azure.registry_api_version)
    services = Services(
        plane=plane,
        ledger=ledger,
        queue=queue,
        leases=BlobLeases(account, clock),
        clock=clock,
        policy=policy,
        zone_table=cloud.zones,
        pacing=Pacing(settings.simulation.pace),
        principal=settings.azure.principal_id,
        pass_deadline=settings.work.pass_deadline,
    )
    return Reconciler(services)
