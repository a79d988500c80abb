"""The composition root: every problem at once, nothing kept of a failure, nothing opened before it is needed."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import pytest

from handlers.events import registry_events
from handlers.reconcile import keep_poison, reconcile_registry
from handlers.runtime import Runtime, compose, runtime
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.core.errors import InvalidPolicy, InvalidSettings
from shared.core.requests import WorkMessage
from shared.engine.reconcile import Services
from shared.settings import Settings
from tests.contract.state import a_registry
from tests.core.test_events import event_grid
from tests.core.worlds import SUB, a_policy, group_id, registry_id, subnet_id
from tests.handlers.decoding import a_context, decoded, message, user_function
from tests.started import run

ROOT = Path(__file__).parents[2]
POLICY_TEXT = f"""
version: 1
mode: enforce
scope:
  subscriptions: [{SUB}]
networks:
  - name: hub
    subnet: {subnet_id().text}
    dns:
      zones_resource_group: {group_id("rg-dns").text}
"""
BROKEN_POLICY = POLICY_TEXT.replace("version: 1", "version: 9").replace("enforce", "perhaps") + "nonsense: true\n"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without anything of the app or of its host."""
    for name in list(os.environ):
        if name.startswith(("ISOLATION_", "AZURE", "AzureWebJobs")):
            monkeypatch.delenv(name)
    return monkeypatch


def set_wrongly(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("AZURE_CLOUD", "AzureMars")
    environment.setenv("ISOLATION_PASS_DEADLINE_SECONDS", "soon")
    environment.setenv("ISOLATION_POLICYPATH", "x")


def set_with_policy(environment: pytest.MonkeyPatch, folder: Path, text: str) -> Path:
    file = folder / "policy.yaml"
    file.write_text(text)
    environment.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    environment.setenv("ISOLATION_POLICY_PATH", str(file))
    return file


async def test_all_problems_of_the_settings_are_told_at_once_and_again_at_the_next_call(
    environment: pytest.MonkeyPatch,
) -> None:
    set_wrongly(environment)

    for _ in range(2):
        with pytest.raises(InvalidSettings) as caught:
            await runtime()

        told = "\n".join(caught.value.problems)
        assert len(caught.value.problems) == 4
        for name in ("AZURE_CLOUD", "ISOLATION_PASS_DEADLINE_SECONDS", "ISOLATION_POLICYPATH", "AzureWebJobsStorage"):
            assert name in told


async def test_all_problems_of_the_policy_are_told_at_once_and_again_at_the_next_call(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = set_with_policy(environment, tmp_path, BROKEN_POLICY)

    for _ in range(2):
        with pytest.raises(InvalidPolicy) as caught:
            await runtime()

        assert caught.value.source == str(file)
        assert [problem.partition(":")[0] for problem in caught.value.problems] == [
            "line 2, column 1",
            "line 3, column 1",
            "line 11, column 1",
        ]


async def test_a_missing_policy_is_named_with_its_path(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = set_with_policy(environment, tmp_path, "")
    file.unlink()

    with pytest.raises(InvalidPolicy, match="No such file or directory"):
        await runtime()


async def test_ten_invocations_at_once_meet_the_same_problem_each(environment: pytest.MonkeyPatch) -> None:
    set_wrongly(environment)

    met = await asyncio.gather(*(runtime() for _ in range(10)), return_exceptions=True)

    assert [type(one) for one in met] == [InvalidSettings] * 10


@pytest.mark.parametrize(
    ("builder", "given"),
    [
        (registry_events, decoded(event_grid())),
        (reconcile_registry, message(WorkMessage(registry=registry_id(), generation=1, attempt=1).encode())),
        (keep_poison, message("nonsense")),
    ],
    ids=["event", "message", "poison"],
)
async def test_a_door_of_an_app_that_is_set_wrongly_fails_so_that_whoever_knocked_knocks_again(
    environment: pytest.MonkeyPatch, builder: object, given: object
) -> None:
    set_wrongly(environment)

    with pytest.raises(InvalidSettings):
        await user_function(builder)(given, a_context())


# --- composing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def storage() -> Iterator[socket.socket]:
    """Somebody who listens where the connection string points, and would notice a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def settings_at(listening: socket.socket, **more: str) -> Settings:
    host = f"http://127.0.0.1:{listening.getsockname()[1]}/devstoreaccount1"
    services = ";".join(f"{name}Endpoint={host}" for name in ("Blob", "Queue", "Table"))
    connection = f"AccountName=devstoreaccount1;AccountKey=bm90IGEgc2VjcmV0;{services}"
    return Settings.from_environ({"AzureWebJobsStorage": connection, **more})


def was_called(listening: socket.socket) -> bool:
    try:
        listening.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def test_composing_with_a_connection_string_opens_nothing(storage: socket.socket) -> None:
    made = compose(settings_at(storage), a_policy())
    services = {name: getattr(made, name) for name, kind in vars(Runtime).items() if isinstance(kind, cached_property)}
    await asyncio.sleep(0.01)

    assert {"reception", "worker", "reconciler"} <= services.keys()
    assert not was_called(storage)


async def test_the_listener_of_these_tests_would_notice(storage: socket.socket) -> None:
    with socket.create_connection(storage.getsockname()):
        assert was_called(storage)


async def test_composing_does_not_need_an_event_loop_of_its_own() -> None:
    settings = Settings.from_environ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})

    assert await asyncio.to_thread(lambda: compose(settings, a_policy()).worker)


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud"])
async def test_the_reconciler_is_composed_for_the_cloud_that_is_set(cloud: str, storage: socket.socket) -> None:
    settings = settings_at(storage, AZURE_CLOUD=cloud, ISOLATION_PASS_DEADLINE_SECONDS="7")
    services = _compose(settings)

    assert services.zone_table == settings.azure.cloud.zones
    assert services.pass_deadline == settings.work.pass_deadline
    assert services.policy == a_policy()
    assert not was_called(storage)


def _compose(settings: Settings) -> Services:
    return compose(settings, a_policy()).reconciler._services


# --- a whole process --------------------------------------------------------------------------------------------------

KNOCKS = """
import asyncio, json, os, sys
from pathlib import Path
import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from types import SimpleNamespace
import function_app

context = SimpleNamespace(trace_context=SimpleNamespace(trace_parent="", trace_state=""))
functions = {function.get_function_name(): function.get_user_function() for function in function_app.app.get_functions()}
event = EventGridEventInConverter.decode(Datum(sys.argv[1], "json"), trigger_metadata=None)

async def story():
    try:
        await functions["registry_events"](event, context)
    except Exception as error:
        print(type(error).__name__)
    Path(os.environ["ISOLATION_POLICY_PATH"]).write_text(sys.argv[2])
    await functions["registry_events"](event, context)
    await functions["registry_events"](event, context)
    await functions["reconcile_registry"](func.QueueMessage(body=b"nonsense"), context)
    await functions["keep_poison"](func.QueueMessage(body=b"nonsense"), context)
    print(sorted(name for name in sys.modules if name.startswith(("azure.mgmt", "azure.identity"))))

asyncio.run(story())
"""


async def received(account: StateAccount, queue: str) -> list[WorkMessage]:
    async with account.queue(queue) as client:
        return [WorkMessage.decode(str(found.content)) async for found in client.receive_messages(max_messages=32)]


@pytest.mark.slow
async def test_a_process_that_was_set_right_after_a_failure_takes_events_and_messages(
    azurite: str, tmp_path: Path
) -> None:
    registry = a_registry()
    queue = f"registry-work-{uuid4().hex[:8]}"
    policy = tmp_path / "policy.yaml"
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("ISOLATION_", "AZURE", "AzureW"))
    }
    environ |= {
        "AzureWebJobsStorage": azurite,
        "ISOLATION_WORK_QUEUE": queue,
        "ISOLATION_POLICY_PATH": str(policy),
    }
    text = POLICY_TEXT.replace(SUB, registry.subscription)

    ran = await asyncio.to_thread(
        run,
        [sys.executable, "-c", KNOCKS, json.dumps(event_grid(subject=registry.text)), text],
        cwd=ROOT,
        env=environ,
        timeout=60,
    )

    failed, imported = ran.stdout.split()
    assert failed == "InvalidPolicy"
    assert imported == "[]"
    account = StateAccount(connection_string=azurite)
    assert [(m.registry, m.generation) for m in await received(account, queue)] == [(registry, 1), (registry, 2)]
    ledger = TableLedger(account)
    entry = await ledger.read(registry)
    assert entry is not None
    assert entry.row.generation == 2
    nonsense = [e for e in await ledger.history(None) if e.before == {"input": "b'nonsense'"}]
    assert [e.kind for e in nonsense[:2]] == ["poison", "rejected"]
    await ledger.aclose()
