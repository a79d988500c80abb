"""The door of the outcome events: composed only where a topic is configured, and whole from a row to a topic."""

import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import azure.functions as func
import pytest
from aiohttp import ClientSession, TCPConnector

from handlers.outcomes import deliver_outcomes
from handlers.runtime import compose
from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.providers.event_grid_publishing import SEND
from local.simulator.rbac import Principal
from local.simulator.server import SimulatorServer, utc_now
from shared.cloud.arm_policies import create_transport
from shared.cloud.clock import SystemClock
from shared.cloud.credentials import create_credential
from shared.cloud.ledger import TableLedger
from shared.cloud.outcome_events import EventGridTopic
from shared.cloud.outcome_queue import StorageOutcomeQueue
from shared.cloud.state_clients import StateAccount
from shared.core.clouds import CLOUDS
from shared.core.errors import InvalidSettings
from shared.core.outcome_messages import OutcomeMessage
from shared.engine.outcome_delivery import Deliverer
from shared.engine.outcomes import Outbox
from shared.engine.pacing import Pacing
from shared.settings import Settings
from tests.contract.state import a_registry, a_row
from tests.core.test_outcomes import an_event
from tests.core.worlds import a_policy
from tests.fixtures.azurite import azurite
from tests.handlers.decoding import a_context, message, user_function
from tests.started import run

__all__ = ["azurite"]

ROOT = Path(__file__).parents[2]
STATE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
TOPIC = {"ISOLATION_OUTCOME_TOPIC": "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"}
CLIENT = "00000000-0000-4000-8000-0000000000ab"


async def test_a_topic_that_the_app_may_not_call_is_told_by_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOLATION_OUTCOME_TOPIC", "https://elsewhere.example/api/events")
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")

    with pytest.raises(InvalidSettings, match="ISOLATION_OUTCOME_TOPIC"):
        await user_function(deliver_outcomes)(message("nonsense"), a_context())


async def test_without_a_topic_nothing_is_told_and_with_one_passes_and_sweeps_tell() -> None:
    silent = compose(Settings.from_environ(STATE), a_policy())
    telling = compose(Settings.from_environ(STATE | TOPIC), a_policy())

    assert (silent.topic, silent.outbox, silent.services.outbox) == (None, None, None)
    assert isinstance(telling.topic, EventGridTopic)
    assert telling.services.outbox is telling.outbox
    assert isinstance(telling.outbox, Outbox)


def test_delivering_imports_no_management_sdk() -> None:
    script = (
        "import sys\n"
        "from handlers.runtime import compose\n"
        "from shared.settings import Settings\n"
        "from tests.core.worlds import a_policy\n"
        f"settings = Settings.from_environ({STATE!r})\n"
        "compose(settings, a_policy()).deliverer\n"
        "print([name for name in sys.modules if name.startswith(('azure.mgmt', 'azure.identity', 'azure.eventgrid'))])\n"
    )
    ran = run([sys.executable, "-c", script], cwd=ROOT)

    assert ran.stdout.strip() == "[]"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SimulatorServer]:
    """A simulated Azure over HTTPS in which the app's managed identity may publish."""
    front = SimulatorServer(SimulatedAzure(start=utc_now()), ca_folder=tmp_path)
    await front.start()
    app = Principal(id="00000000-0000-4000-8000-0000000000aa", name="registry-isolation", application_id=CLIENT)
    front.azure.rbac.add(app)
    front.azure.rbac.principal(app.id, data_actions=[SEND])
    monkeypatch.setenv("IDENTITY_ENDPOINT", front.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", front.azure.identity_header)
    yield front
    await front.stop()


@pytest.mark.slow
async def test_from_a_row_in_a_table_to_a_topic_over_https_with_a_managed_identity(
    azurite: str, server: SimulatorServer
) -> None:
    cloud, account = CLOUDS["AzureCloud"], StateAccount(connection_string=azurite)
    credential = create_credential(cloud, client_id=CLIENT, ca_file=str(server.ca_file))
    transport = create_transport(str(server.ca_file))
    endpoint = scenery.create_topic(server.azure, "outcomes").properties["endpoint"]
    suffix = uuid4().hex[:8]
    ledger = TableLedger(account, rows=f"registries{suffix}", history=f"history{suffix}")
    queue = StorageOutcomeQueue(account, f"registry-work-{suffix}")
    deliverer = Deliverer(
        ledger=ledger,
        topic=EventGridTopic(
            endpoint=endpoint, source="/registry-isolation", credential=credential, transport=transport
        ),
        queue=queue,
        clock=SystemClock(),
        pacing=Pacing(0.001),
    )
    registry = a_registry()
    await ledger.write(replace(a_row(registry), outbox=(an_event(),)), None)
    try:
        await Outbox(queue).announced(registry)
        async with account.queue(f"registry-work-{suffix}-outcomes") as client:
            (sent,) = [str(one.content) async for one in client.receive_messages()]
        assert OutcomeMessage.decode(sent).registry == registry
        await deliverer.deliver(func.QueueMessage(body=sent.encode()).get_body())

        (received,) = server.azure.events.received
        assert received[2].id == an_event().id
        entry = await ledger.read(registry)
        assert entry is not None
        assert entry.row.outbox == ()
        assert server.azure.world.now - received[0] < timedelta(minutes=1)
        context = ssl.create_default_context(cafile=str(server.ca_file))
        async with (
            ClientSession(server.endpoint, connector=TCPConnector(ssl=context)) as looking,
            looking.get("/simulator/received") as answer,
        ):
            (shown,) = (await answer.json())["received"]
        assert shown["event"]["type"] == "RegistryIsolation.Isolated"
        assert shown["topic"].endswith("/topics/outcomes")
    finally:
        await transport.close()
        await credential.close()
        await queue.aclose()
        await ledger.aclose()
