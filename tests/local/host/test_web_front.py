import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from local.host.admin import Admin
from local.host.functions import AuthLevel
from local.host.keys import Keys
from local.host.protos import RpcHttp, TypedData
from local.host.web_front import WebFront
from local.host.worker import Answer, Call
from tests.local.host.doubles import (
    ScriptedWorker,
    a_queue_function,
    a_timer_function,
    an_event_grid_function,
    an_http_function,
    an_invoker,
    fail,
)

KEYS = Keys(master="m", function="f", eventgrid_extension="e")
WEBHOOK = "/runtime/webhooks/eventgrid"
EVENT = {"id": "1", "eventType": "T", "subject": "s", "data": {}}
FUNCTIONS = (
    an_http_function("item", "items/{id:int}", methods=["GET"]),
    an_http_function("named", "items/{name}"),
    an_http_function("locked", "locked", level=AuthLevel.FUNCTION),
    an_http_function("admin", "admin", level=AuthLevel.ADMIN),
    an_event_grid_function("notice"),
    a_queue_function(),
    a_timer_function("0 * * * * *"),
)


async def respond(call: Call) -> Answer:
    if call.parameter != "req":
        return Answer(outputs={})
    seen = call.value.http
    body = {"function": call.function_id, "params": seen.params, "query": seen.query, "url": seen.url}
    http = RpcHttp(status_code="200", headers={}, cookies=None, body=TypedData(bytes=json.dumps(body).encode()))
    return Answer(return_value=TypedData(http=http), outputs={})


@pytest.fixture
def worker() -> ScriptedWorker:
    return ScriptedWorker(respond)


@pytest.fixture
async def client(worker: ScriptedWorker) -> AsyncIterator[TestClient[Any, Any]]:
    invoker = an_invoker(worker)
    front = WebFront(
        functions=FUNCTIONS,
        keys=KEYS,
        invoker=invoker,
        admin=Admin(functions=FUNCTIONS, invoker=invoker),
        max_body_bytes=1000,
    )
    async with TestClient(TestServer(front.application())) as client:
        yield client


async def status(client: TestClient[Any, Any], method: str, path: str, **arguments: Any) -> int:
    async with client.request(method, path, **arguments) as response:
        return response.status


@pytest.mark.parametrize(
    ("method", "path", "function", "parameters"),
    [
        ("GET", "/api/items/5", "item-id", {"id": "5"}),
        ("DELETE", "/api/items/5", "named-id", {"name": "5"}),
        ("GET", "/API/Items/x", "named-id", {"name": "x"}),
        ("GET", "/api/items/a%2Fb", "named-id", {"name": "a%2Fb"}),
    ],
)
async def test_a_request_reaches_the_function_of_its_route(
    client: TestClient[Any, Any], method: str, path: str, function: str, parameters: dict[str, str]
) -> None:
    async with client.request(method, path) as response:
        body = await response.json(content_type=None)

    assert (body["function"], body["params"]) == (function, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/nothing"), ("GET", "/api"), ("GET", "/items/5"), ("GET", "/api/items"), ("GET", "/api/items/5/x")],
)
async def test_an_unknown_route_is_404(client: TestClient[Any, Any], method: str, path: str) -> None:
    assert await status(client, method, path) == 404


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/api/locked", {}, 401),
        ("/api/locked", {"x-functions-key": "wrong"}, 401),
        ("/api/locked", {"x-functions-key": "f"}, 200),
        ("/api/locked?code=f", {}, 200),
        ("/api/locked?code=m", {}, 200),
        ("/api/locked?code=e", {}, 401),
        ("/api/admin?code=f", {}, 401),
        ("/api/admin?code=m", {}, 200),
    ],
)
async def test_a_function_asks_for_the_key_of_its_level(
    client: TestClient[Any, Any], path: str, headers: dict[str, str], expected: int
) -> None:
    assert await status(client, "GET", path, headers=headers) == expected


async def test_a_failed_function_is_500_without_details(client: TestClient[Any, Any], worker: ScriptedWorker) -> None:
    worker.behaviour = fail

    async with client.get("/api/items/5") as response:
        assert (response.status, await response.text()) == (500, "")


async def test_repeated_query_parameters_are_joined(client: TestClient[Any, Any]) -> None:
    async with client.get("/api/items/5?a=1&a=2&B=3") as response:
        body = await response.json(content_type=None)

    assert body["query"] == {"a": "1,2", "B": "3"}


async def test_a_body_over_the_limit_is_413(client: TestClient[Any, Any], worker: ScriptedWorker) -> None:
    assert await status(client, "POST", "/api/items/x", data=b"x" * 1001) == 413
    assert worker.calls == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("functionName=notice&code=e", 202),
        ("functionName=Notice&code=m", 202),
        ("functionName=notice&code=f", 401),
        ("functionName=notice", 401),
        ("functionName=work&code=e", 404),
        ("code=e", 404),
    ],
)
async def test_the_webhook_asks_for_its_key_and_for_an_event_grid_function(
    client: TestClient[Any, Any], query: str, expected: int
) -> None:
    headers = {"aeg-event-type": "Notification"}

    assert await status(client, "POST", f"{WEBHOOK}?{query}", json=[EVENT], headers=headers) == expected


async def test_a_delivery_is_one_invocation_per_event(client: TestClient[Any, Any], worker: ScriptedWorker) -> None:
    events = [EVENT | {"id": str(number)} for number in range(3)]
    headers = {"aeg-event-type": "Notification"}

    assert await status(client, "POST", f"{WEBHOOK}?functionName=notice&code=e", json=events, headers=headers) == 202

    assert [json.loads(call.value.value)["id"] for call in worker.calls] == ["0", "1", "2"]


async def test_one_failed_event_fails_the_delivery_so_that_event_grid_repeats_it(
    client: TestClient[Any, Any], worker: ScriptedWorker
) -> None:
    async def second_fails(call: Call) -> Answer:
        return await (fail(call) if json.loads(call.value.value)["id"] == "2" else respond(call))

    worker.behaviour = second_fails
    events = [EVENT, EVENT | {"id": "2"}]
    headers = {"aeg-event-type": "Notification"}

    async with client.post(f"{WEBHOOK}?functionName=notice&code=e", json=events, headers=headers) as response:
        assert (response.status, await response.text()) == (500, "RuntimeError: as scripted")


async def test_the_handshake_echoes_the_validation_code(client: TestClient[Any, Any], worker: ScriptedWorker) -> None:
    event = {"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "data": {"validationCode": "code"}}
    headers = {"aeg-event-type": "SubscriptionValidation"}

    async with client.post(f"{WEBHOOK}?functionName=notice&code=e", json=[event], headers=headers) as response:
        assert (response.status, await response.json()) == (200, {"validationResponse": "code"})
    assert worker.calls == []


async def test_the_cloud_events_handshake_allows_the_asking_origin(client: TestClient[Any, Any]) -> None:
    headers = {"WebHook-Request-Origin": "eventgrid.azure.net"}

    async with client.options(f"{WEBHOOK}?functionName=notice&code=e", headers=headers) as response:
        assert response.status == 200
        assert response.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


@pytest.mark.parametrize(
    ("method", "arguments", "expected"),
    [
        ("OPTIONS", {}, 400),
        ("GET", {}, 405),
        ("POST", {"json": [EVENT]}, 400),
        ("POST", {"data": b"", "headers": {"aeg-event-type": "Unsubscribe"}}, 202),
    ],
)
async def test_other_requests_to_the_webhook(
    client: TestClient[Any, Any], method: str, arguments: dict[str, Any], expected: int
) -> None:
    assert await status(client, method, f"{WEBHOOK}?functionName=notice&code=e", **arguments) == expected


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        ("/", "", 200),
        ("/admin/host/ping", "", 200),
        ("/admin/host/status", "", 401),
        ("/admin/host/status", "f", 401),
        ("/admin/host/status", "m", 200),
        ("/admin/functions/work", "m", 200),
        ("/admin/functions/none", "m", 404),
        ("/admin/none", "m", 404),
    ],
)
async def test_the_admin_api_asks_for_the_master_key(
    client: TestClient[Any, Any], path: str, code: str, expected: int
) -> None:
    assert await status(client, "GET", path, headers={"x-functions-key": code}) == expected


async def test_the_admin_api_lists_the_functions(client: TestClient[Any, Any]) -> None:
    async with client.get("/admin/functions?code=m") as response:
        listed = {entry["name"]: entry["trigger"] for entry in await response.json()}

    assert listed["work"] == "queueTrigger"
    assert listed["notice"] == "eventGridTrigger"
    assert len(listed) == len(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("work", "a message", "a message"),
        ("notice", json.dumps(EVENT), json.dumps(EVENT)),
    ],
)
async def test_a_function_can_be_run_by_hand(
    client: TestClient[Any, Any], worker: ScriptedWorker, name: str, text: str, value: str
) -> None:
    assert await status(client, "POST", f"/admin/functions/{name}?code=m", json={"input": text}) == 202
    await asyncio.sleep(0)

    [call] = worker.calls
    assert (call.function_id, call.value.value) == (f"{name}-id", value)


async def test_a_timer_run_by_hand_needs_no_body(client: TestClient[Any, Any], worker: ScriptedWorker) -> None:
    assert await status(client, "POST", "/admin/functions/tick?code=m") == 202
    await asyncio.sleep(0)

    [call] = worker.calls
    assert json.loads(call.value.value)["IsPastDue"] is False


@pytest.mark.parametrize(
    ("name", "body", "part"),
    [
        ("item", b'{"input": ""}', "item is an HTTP function"),
        ("work", b"{", "The body is not JSON"),
        ("work", b"[]", "The body must be"),
        ("work", b'{"input": 5}', "The body must be"),
        ("notice", b'{"input": "text"}', "not an event in JSON"),
        ("notice", b'{"input": "[]"}', "not one event"),
    ],
)
async def test_a_wrong_manual_run_is_refused_with_a_reason(
    client: TestClient[Any, Any], worker: ScriptedWorker, name: str, body: bytes, part: str
) -> None:
    async with client.post(f"/admin/functions/{name}?code=m", data=body) as response:
        assert response.status == 400
        assert part in await response.text()
    assert worker.calls == []
