"""The HTTPS front: real sockets on the loopback interface, real time on a scale of one thousandth."""

import asyncio
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ServerDisconnectedError, TCPConnector, web

from local.simulator.azure import SUBSCRIPTION, SimulatedAzure
from local.simulator.durations import Durations
from local.simulator.options import Options
from local.simulator.scenery import create_topic
from local.simulator.server import SimulatorServer, utc_now
from tests.emitted import note
from tests.local.simulator.arm_client import SUB

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]

API = "api-version=2021-04-01"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SimulatorServer]:
    azure = SimulatedAzure(
        start=utc_now(),
        durations=Durations().scaled(0.001),
        options=Options(event_lag=timedelta(milliseconds=1)),
    )
    front = SimulatorServer(azure, ca_folder=tmp_path)
    await front.start()
    yield front
    await front.stop()


@pytest.fixture
async def client(server: SimulatorServer) -> AsyncIterator[ClientSession]:
    context = ssl.create_default_context(cafile=str(server.ca_file))
    headers = server.azure.headers()
    async with ClientSession(server.endpoint, connector=TCPConnector(ssl=context), headers=headers) as session:
        yield session


async def put(client: ClientSession, path: str, body: Any) -> int:
    async with client.put(path, json=body) as answer:
        return answer.status


async def test_operation_urls_point_at_the_server_and_end(server: SimulatorServer, client: ClientSession) -> None:
    assert await put(client, f"{SUB}/resourceGroups/rg?{API}", {"location": "westeurope"}) == 201
    path = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vn?{API}"
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    async with client.put(path, json=body) as answer:
        url = answer.headers["Azure-AsyncOperation"]
        assert answer.status == 201
    assert url.startswith(server.endpoint)
    state = ""
    while state != "Succeeded":
        async with client.get(url) as answer:
            state = (await answer.json())["status"]
    async with client.get(path) as answer:
        assert (await answer.json())["properties"]["provisioningState"] == "Succeeded"


async def test_the_certificate_comes_from_the_servers_own_authority(server: SimulatorServer) -> None:
    async with ClientSession() as stranger:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get(server.endpoint)


async def test_a_managed_identity_logs_in(server: SimulatorServer, client: ClientSession) -> None:
    headers = {"X-IDENTITY-HEADER": server.azure.identity_header}
    async with client.get(f"{server.identity_endpoint}?resource=x&api-version=2019-08-01", headers=headers) as answer:
        token = (await answer.json())["access_token"]
    async with client.get(f"/subscriptions?{API}", headers={"Authorization": f"Bearer {token}"}) as answer:
        assert [each["subscriptionId"] for each in (await answer.json())["value"]] == [SUBSCRIPTION]


async def test_head_and_empty_answers_have_no_body(client: ClientSession) -> None:
    await put(client, f"{SUB}/resourceGroups/rg?{API}", {"location": "westeurope"})
    async with client.head(f"{SUB}/resourceGroups/rg?{API}") as answer:
        assert (answer.status, await answer.read()) == (204, b"")
    async with client.delete(f"{SUB}/resourceGroups/rg?{API}") as answer:
        assert (answer.status, await answer.read(), answer.headers["Retry-After"]) == (202, b"", "15")


async def test_a_lost_response_breaks_the_connection(client: ClientSession) -> None:
    """Twice, because aiohttp repeats a PUT once by itself when a connection breaks."""
    fault = {"kind": "lose-response", "method": "PUT", "times": 2}
    async with client.post("/simulator/faults", json=fault) as answer:
        assert answer.status == 200
    with pytest.raises(ServerDisconnectedError):
        await put(client, f"{SUB}/resourceGroups/rg?{API}", {"location": "westeurope"})
    async with client.get(f"{SUB}/resourceGroups/rg?{API}") as answer:
        assert answer.status == 200


async def test_the_control_plane_shows_and_changes_the_world(client: ClientSession) -> None:
    group = f"{SUB}/resourceGroups/seeded"
    async with client.post("/simulator/seed", json={"resources": [{"id": group, "location": "eastus"}]}) as answer:
        assert answer.status == 200
    async with client.get(f"{group}?{API}") as answer:
        assert (await answer.json())["location"] == "eastus"
    async with client.get("/simulator/log") as answer:
        log = await answer.json()
    assert [each["action"] for each in log["calls"]] == ["Microsoft.Resources/subscriptions/resourceGroups/read"]
    async with client.get(f"/simulator/log?since={log['next']}") as answer:
        assert (await answer.json())["calls"] == []
    async with client.get("/simulator/state?type=microsoft.resources/resourcegroups") as answer:
        assert [each["id"] for each in (await answer.json())["resources"]] == [group]
    async with client.delete("/simulator/resources", params={"id": group}) as answer:
        assert (await answer.json())["removed"] == [group]
    async with client.delete("/simulator/resources", params={"id": group}) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/simulator/faults", {"kind": "earthquake"}, "earthquake"),
        ("POST", "/simulator/faults", {"kind": "reset", "colour": "red"}, "a fault has no colour"),
        ("POST", "/simulator/faults", {}, "kind"),
        ("POST", "/simulator/seed", {"resources": [{}]}, "'id'"),
        ("POST", "/simulator/graph", {"storm": 1}, "no storm"),
        ("POST", "/simulator/hosts", {"url": "http://x"}, "site"),
        ("GET", "/simulator/log?since=yesterday", None, "yesterday"),
    ],
)
async def test_the_control_plane_says_what_was_wrong(
    client: ClientSession, method: str, path: str, body: Any, said: str
) -> None:
    async with client.request(method, path, json=body) as answer:
        assert answer.status == 400
        assert said in (await answer.json())["error"]


async def test_events_reach_a_real_webhook(server: SimulatorServer, client: ClientSession) -> None:
    received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hook(request: web.Request) -> web.Response:
        for event in await request.json():
            if event["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent":
                return web.json_response({"validationResponse": event["data"]["validationCode"]})
            received.put_nowait(event)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        subscription = {
            "properties": {
                "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
                "filter": {"includedEventTypes": ["Microsoft.Resources.ResourceWriteSuccess"]},
            }
        }
        path = f"{SUB}/providers/Microsoft.EventGrid/eventSubscriptions/watch?api-version=2025-02-15"
        assert await put(client, path, subscription) == 201
        state = ""
        while state != "Succeeded":
            await asyncio.sleep(0.01)
            async with client.get(path) as answer:
                state = (await answer.json())["properties"]["provisioningState"]
        assert await put(client, f"{SUB}/resourceGroups/rg?{API}", {"location": "westeurope"}) == 201
        event = await asyncio.wait_for(received.get(), 5)
        assert event["subject"].lower() == f"{SUB}/resourceGroups/rg".lower()
        assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    finally:
        await runner.cleanup()


async def test_the_program_prints_one_line_and_ends_on_sigterm(tmp_path: Path) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({"resources": [{"id": f"{SUB}/resourceGroups/seeded", "location": "westeurope"}]}))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "local.simulator", "--seed", str(seed), "--ca-folder", str(tmp_path), "--scale", "0.1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert process.stdout is not None
    try:
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        assert set(ready) == {"endpoint", "ca", "identity_endpoint", "identity_header", "subscription"}
        context = ssl.create_default_context(cafile=ready["ca"])
        async with ClientSession(connector=TCPConnector(ssl=context)) as session:
            headers = {"X-IDENTITY-HEADER": ready["identity_header"]}
            async with session.get(f"{ready['identity_endpoint']}?resource=x", headers=headers) as answer:
                token = (await answer.json())["access_token"]
            url = f"{ready['endpoint']}{SUB}/resourceGroups/seeded?{API}"
            async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
                assert answer.status == 200
    finally:
        process.send_signal(signal.SIGTERM)
        note("".join(each.decode() for each in await asyncio.wait_for(process.communicate(), 10)))
        assert process.returncode == 0


async def test_a_seed_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "local.simulator", "--seed", str(tmp_path / "absent.json")),
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    _, told = await asyncio.wait_for(process.communicate(), 20)
    note(told.decode())
    assert process.returncode == 1
    assert b"could not start" in told


# -- the rest of the control plane -------------------------------------------------------------------------------------


async def test_a_server_that_was_never_started_stops(tmp_path: Path) -> None:
    front = SimulatorServer(SimulatedAzure(), ca_folder=tmp_path)
    await front.stop()
    assert not front.ca_file.exists()


async def test_a_slow_answer_arrives_late_and_a_script_can_be_forgotten(client: ClientSession) -> None:
    slow = {"kind": "slow", "path": "/subscriptions$", "seconds": 0.2, "times": 9}
    async with client.post("/simulator/faults", json=slow) as answer:
        assert answer.status == 200
    begun = asyncio.get_running_loop().time()
    async with client.get("/subscriptions?api-version=2022-12-01") as answer:
        assert answer.status == 200
    assert asyncio.get_running_loop().time() - begun >= 0.2
    async with client.delete("/simulator/faults") as answer:
        assert answer.status == 200
    begun = asyncio.get_running_loop().time()
    async with client.get("/subscriptions?api-version=2022-12-01") as answer:
        assert answer.status == 200
    assert asyncio.get_running_loop().time() - begun < 0.2


async def test_a_webhook_that_nobody_listens_at_is_a_failed_proof(
    server: SimulatorServer, client: ClientSession
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": f"http://127.0.0.1:{port}/"}}
    path = f"{SUB}/providers/Microsoft.EventGrid/eventSubscriptions/watch?api-version=2025-02-15"
    assert await put(client, path, {"properties": {"destination": destination}}) == 201
    state = "Creating"
    while state == "Creating":
        await asyncio.sleep(0.01)
        async with client.get(path) as answer:
            state = (await answer.json())["properties"]["provisioningState"]
    assert state == "Failed"
    async with client.get("/simulator/events") as answer:
        assert await answer.json() == {"delivered": [], "deadLetters": 0}


async def test_what_a_topic_has_taken_in_is_shown(server: SimulatorServer, client: ClientSession) -> None:
    topic = create_topic(server.azure, "outcomes")
    sender = {
        "id": "sender",
        "assignments": [{"actions": [], "dataActions": ["Microsoft.EventGrid/events/send/action"]}],
    }
    async with client.post("/simulator/principals", json=sender) as answer:
        assert answer.status == 200
    event = {"id": "1", "source": "/x", "specversion": "1.0", "type": "T", "time": "2026-01-05T12:00:00Z", "data": {}}
    headers = server.azure.headers("sender") | {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
    address = topic.properties["endpoint"].replace("https://management.azure.com", server.endpoint)
    async with client.post(address, data=json.dumps([event]), headers=headers) as answer:
        assert answer.status == 200
    async with client.get("/simulator/received") as answer:
        (received,) = (await answer.json())["received"]
    assert (received["topic"], received["event"]["id"]) == (topic.id, "1")


async def test_a_function_app_is_hosted_where_it_says(server: SimulatorServer, client: ClientSession) -> None:
    site = f"{SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/app"
    async with client.post("/simulator/hosts", json={"site": site, "url": "http://127.0.0.1:7071"}) as answer:
        assert answer.status == 200
    url = server.azure.events.function_url(f"{site}/functions/on_event")
    assert url == "http://127.0.0.1:7071/runtime/webhooks/eventgrid?functionName=on_event"
