"""One host, one Azurite: what the real worker and the real queue service add to the tests in virtual time."""

import json
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from local.host.process import HostProcess
from tests.local.host.running import PATIENCE, Place, until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(azurite: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place.prepare(tmp_path_factory.mktemp("place"), azurite, schedule="*/1 * * * * *")


@pytest.fixture(scope="module")
def host(place: Place) -> Iterator[HostProcess]:
    with place.host() as running:
        yield running


def call(
    url: str, *, method: str = "GET", data: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    request = Request(url, data=data, method=method, headers=headers or {})  # noqa: S310 -- loopback
    try:
        with urlopen(request, timeout=PATIENCE.total_seconds()) as response:  # noqa: S310 -- loopback
            return response.status, dict(response.headers), response.read()
    except HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def test_the_ready_line_names_every_function_and_how_to_reach_it(host: HostProcess, place: Place) -> None:
    assert host.ready["pid"] == host.child.pid
    assert set(host.ready["keys"]) == {"master", "function", "eventgrid_extension"}
    assert host.function("echo") == {
        "name": "echo",
        "trigger": "httpTrigger",
        "url": f"{host.url}/api/echo/{{first}}/{{second?}}",
        "methods": ["POST", "PUT"],
    }
    assert host.function("work")["queue"] == place.settings["WORK_QUEUE"]
    assert host.function("tick")["schedule"] == "*/1 * * * * *"
    assert host.child.output.read_text().count("\n") == 1


def test_an_async_function_sees_the_whole_request(host: HostProcess) -> None:
    status, headers, body = call(
        f"{host.url}/api/echo/one/t%C3%BC?q=1&q=2",
        method="POST",
        data=b"12345",
        headers={"X-Mixed-Case": "kept", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    )

    seen = json.loads(body)
    assert (status, headers["X-Echo"], headers["content-type"]) == (201, "yes", "application/json")
    assert seen["route"] == {"first": "one", "second": "tü"}
    assert (seen["method"], seen["query"], seen["header"], seen["length"]) == ("POST", {"q": "1,2"}, "kept", 5)
    assert seen["function"] == "echo"
    assert seen["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c")


def test_a_synchronous_function_answers_bytes_and_a_cookie(host: HostProcess) -> None:
    status, headers, body = call(f"{host.url}/api/bytes", method="POST", data=b"\x00\xfe\xff")

    assert (status, body, headers["content-type"]) == (200, b"\x00\xfe\xff", "application/octet-stream")
    assert headers["Set-Cookie"] == "colour=blue; Max-Age=60; Path=/; HttpOnly"


def test_keys_are_asked_for(host: HostProcess) -> None:
    function_key = host.function_key

    assert call(f"{host.url}/api/secured")[0] == 401
    assert call(f"{host.url}/api/secured?code={function_key}")[::2] == (200, b"open")
    assert call(f"{host.url}/api/guarded?code={function_key}")[0] == 401
    assert call(f"{host.url}/api/guarded", headers={"x-functions-key": host.master_key})[0] == 200


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("raise", "RuntimeError: this function always fails"),
        ("exit", "SystemExit: this function tries to leave"),
        ("cancel", "CancelledError: the invocation was cancelled"),
        ("sleep", "Timeout: the function exceeded functionTimeout, 0:00:02, and was given up"),
        ("nothing", "TypeError: unable to encode outgoing TypedData"),
    ],
)
def test_a_misbehaving_function_fails_alone(host: HostProcess, how: str, error: str) -> None:
    assert call(f"{host.url}/api/misbehave/{how}")[::2] == (500, b"")
    assert error in host.log()
    assert call(f"{host.url}/admin/host/ping")[0] == 200


def test_a_synchronous_function_beyond_its_timeout_does_not_block_the_others(host: HostProcess) -> None:
    assert call(f"{host.url}/api/block")[0] == 500
    assert call(f"{host.url}/api/bytes", method="POST", data=b"free")[2] == b"free"


def test_what_a_function_prints_or_logs_goes_to_the_log(host: HostProcess) -> None:
    assert call(f"{host.url}/api/misbehave/print")[2] == b"printed"
    call(f"{host.url}/api/secured?code={host.master_key}")

    assert "printed by a function" in host.log()
    [line] = [line for line in host.log().splitlines() if "inside a synchronous function" in line][-1:]
    assert " INFO app [" in line


def test_messages_go_from_an_output_to_a_trigger_and_bad_ones_to_the_poison_queue(
    host: HostProcess, place: Place
) -> None:
    messages = ["first", 'ünïcode <&> "quoted"', "fail always"]

    assert call(f"{host.url}/api/enqueue", method="POST", data=json.dumps(messages).encode())[0] == 202

    until(lambda: [seen["text"] for seen in place.seen("poisoned")] == ["fail always"])
    tries = [seen["dequeued"] for seen in place.seen("work") if seen["text"] == "fail always"]
    assert tries == [1, 2, 3]
    assert {seen["text"] for seen in place.seen("work")} >= set(messages)
    with place.queue() as queue, place.queue("-poison") as poison, place.queue("-seen") as answers:
        until(lambda: queue.get_queue_properties().approximate_message_count == 0)
        until(lambda: poison.get_queue_properties().approximate_message_count == 0)
        [answer] = until(lambda: list(answers.receive_messages()))
        assert answer.content == "seen fail always"


def test_events_of_both_schemas_arrive_one_by_one(host: HostProcess, place: Place) -> None:
    webhook = host.webhook("notice")
    event_time = "2026-01-05T10:20:30.1234567Z"
    grid = {"topic": "/t", "subject": "/s", "eventType": "Grid", "eventTime": event_time, "dataVersion": "2"}
    cloud = {"source": "/t", "subject": "/s", "type": "Cloud", "time": event_time, "specversion": "1.0"}
    grid_events = [grid | {"id": f"grid-{number}", "data": {"n": number}} for number in range(2)]
    cloud_events = [cloud | {"id": f"cloud-{number}", "data": {"n": number}} for number in range(2)]

    deliveries = [
        (grid_events, {"aeg-event-type": "Notification"}),
        (cloud_events[0], {"aeg-event-type": "Notification", "content-type": "application/cloudevents+json"}),
        (cloud_events[1:], {"content-type": "application/cloudevents-batch+json"}),
    ]
    statuses = [
        call(webhook, method="POST", data=json.dumps(body).encode(), headers=headers)[0] for body, headers in deliveries
    ]

    assert statuses == [202, 202, 202]
    seen = {entry["id"]: (entry["kind"], entry["type"], entry["data"]["n"]) for entry in place.seen("notice")}
    assert seen == {
        "grid-0": ("Grid", "EventGridEvent", 0),
        "grid-1": ("Grid", "EventGridEvent", 1),
        "cloud-0": ("Cloud", "CloudEvent", 0),
        "cloud-1": ("Cloud", "CloudEvent", 1),
    }


def test_a_failed_event_is_500(host: HostProcess) -> None:
    webhook = host.webhook("notice")
    event = {"id": "bad", "eventType": "T", "subject": "/s", "data": {}}

    status, _, body = call(
        webhook, method="POST", data=json.dumps([event]).encode(), headers={"aeg-event-type": "Notification"}
    )

    assert (status, body) == (500, b"RuntimeError: a bad event")


def test_a_timer_fires_at_the_start_and_every_second(host: HostProcess, place: Place) -> None:
    until(lambda: len(place.seen("tick")) >= 3)

    assert [seen["past_due"] for seen in place.seen("tick")][:3] == [False, False, False]


def test_functions_run_by_hand(host: HostProcess, place: Place) -> None:
    headers = {"x-functions-key": host.master_key}
    body = json.dumps({"input": "by hand"}).encode()

    assert call(f"{host.url}/admin/functions/work", method="POST", data=body)[0] == 401
    assert call(f"{host.url}/admin/functions/work", method="POST", data=body, headers=headers)[0] == 202

    until(lambda: "by hand" in [seen["text"] for seen in place.seen("work")])


def test_the_hosts_status_says_that_it_runs(host: HostProcess) -> None:
    status, _, body = call(f"{host.url}/admin/host/status", headers={"x-functions-key": host.master_key})

    assert status == 200
    assert json.loads(body)["state"] == "Running"


def test_no_key_is_ever_logged(host: HostProcess) -> None:
    call(host.webhook("notice"), method="POST", data=b"{}")
    call(f"{host.url}/api/secured?code={host.function_key}")

    assert not [key for key in host.ready["keys"].values() if key in host.log()]
