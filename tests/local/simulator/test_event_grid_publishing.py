"""Custom topics: who may publish, what is refused, and where it goes."""

import json
from typing import Any

import pytest

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.event_grid_events import Schema
from local.simulator.event_grid_subscriptions import TOPIC_TYPE, WEBHOOK
from local.simulator.providers.event_grid_publishing import MOST_BYTES, SEND
from local.simulator.wire import Request, Response

SENDER = "00000000-0000-4000-8000-0000000000cc"
BATCH = "application/cloudevents-batch+json; charset=utf-8"
EVENT = {
    "id": "1",
    "source": "/registry-isolation",
    "specversion": "1.0",
    "type": "RegistryIsolation.Isolated",
    "subject": "s",
    "time": "2026-01-05T12:00:00Z",
    "data": {"sequence": 1},
}


@pytest.fixture
def azure() -> SimulatedAzure:
    made = SimulatedAzure()
    made.rbac.principal(SENDER, data_actions=[SEND])
    return made


def post(azure: SimulatedAzure, url: str, body: Any, *, kind: str = BATCH, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": kind} | (headers or azure.headers(SENDER))
    return azure.handle(Request("POST", f"{url}?api-version=2018-01-01", sent, content), azure.world.now)


def said(answer: Response) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["details"][0]["code"] == error["code"]
    return answer.status, error["code"]


def test_a_sender_publishes_to_the_topics_own_host_and_the_events_are_there_to_see(azure: SimulatedAzure) -> None:
    topic = scenery.create_topic(azure, "outcomes")
    url = topic.properties["endpoint"]

    assert url == "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"
    assert post(azure, url, [EVENT, EVENT | {"id": "2"}]).status == 200
    assert [(at, where) for at, where, _ in azure.events.received] == [(azure.world.now, topic.id)] * 2
    shown = [event.as_cloud_event() for _, _, event in azure.events.received]
    assert [event["id"] for event in shown] == ["1", "2"]
    assert shown[0] == EVENT | {"time": "2026-01-05T12:00:00.0000000Z"}


def test_a_server_shows_an_endpoint_below_its_own_address() -> None:
    azure = SimulatedAzure(endpoint="https://127.0.0.1:8443")
    azure.rbac.principal(SENDER, data_actions=[SEND])
    url = scenery.create_topic(azure, "outcomes").properties["endpoint"]

    assert url == "https://127.0.0.1:8443/topics/outcomes/api/events"
    assert post(azure, url, [EVENT]).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", BATCH),
        (EVENT, BATCH),
        ([1], BATCH),
        ([{"id": "1"}], BATCH),
        ([EVENT | {"specversion": "0.3"}], BATCH),
        ([EVENT | {"time": "yesterday"}], BATCH),
        ([EVENT], "application/json"),
        ([EVENT], ""),
    ],
)
def test_what_is_no_cloud_event_is_a_bad_request(azure: SimulatedAzure, body: Any, kind: str) -> None:
    url = scenery.create_topic(azure, "outcomes").properties["endpoint"]

    assert said(post(azure, url, body, kind=kind)) == (400, "BadRequest")
    assert azure.events.received == []


def test_more_than_a_megabyte_and_an_unknown_topic_are_refused(azure: SimulatedAzure) -> None:
    url = scenery.create_topic(azure, "outcomes").properties["endpoint"]

    assert said(post(azure, url, b" " * (MOST_BYTES + 1)))[0] == 413
    assert said(post(azure, url.replace("outcomes", "others"), [EVENT])) == (404, "NotFound")


def test_an_event_of_no_moment_is_of_now(azure: SimulatedAzure) -> None:
    url = scenery.create_topic(azure, "outcomes").properties["endpoint"]
    for moment in ({}, {"time": ""}):
        timeless = {name: value for name, value in EVENT.items() if name != "time"} | moment
        assert post(azure, url, [timeless]).status == 200
    assert [event.time for _, _, event in azure.events.received] == [azure.world.now] * 2


def test_nobody_publishes_without_the_data_action_not_even_the_owner(azure: SimulatedAzure) -> None:
    url = scenery.create_topic(azure, "outcomes").properties["endpoint"]
    elsewhere = azure.rbac.principal(
        "00000000-0000-4000-8000-0000000000dd", data_actions=[SEND], scope="/subscriptions/x"
    )

    assert said(post(azure, url, [EVENT], **azure.headers())) == (403, "Forbidden")
    assert said(post(azure, url, [EVENT], **azure.headers(elsewhere.id))) == (403, "Forbidden")
    assert said(post(azure, url, [EVENT], Accept="*/*")) == (401, "Unauthorized")
    assert post(azure, url, [EVENT], Authorization="Bearer nonsense").status == 401
    assert post(azure, url, [EVENT], **{"aeg-sas-token": "r=x"}).status == 501


def test_keys_open_a_topic_unless_local_authentication_is_off(azure: SimulatedAzure) -> None:
    closed = scenery.create_topic(azure, "outcomes")
    path = closed.id.replace("outcomes", "keyed")
    made = scenery.send(
        azure,
        "PUT",
        path,
        {"location": "westeurope", "properties": {"inputSchema": Schema.CLOUD_EVENTS.value}},
        api_version="2025-02-15",
    ).json()
    keys = scenery.send(azure, "POST", f"{path}/listKeys", api_version="2025-02-15").json()

    assert post(azure, made["properties"]["endpoint"], [EVENT], **{"aeg-sas-key": keys["key2"]}).status == 200
    wrong = {"aeg-sas-key": closed.private["keys"]["key1"]}
    assert said(post(azure, made["properties"]["endpoint"], [EVENT], **wrong)) == (401, "Unauthorized")
    assert said(post(azure, closed.properties["endpoint"], [EVENT], **wrong)) == (401, "Unauthorized")


def test_a_topic_of_the_event_grid_schema_takes_that_alone(azure: SimulatedAzure) -> None:
    group = scenery.create_topic(azure, "outcomes").id.rpartition("/providers/")[0]
    path = f"{group}/providers/{TOPIC_TYPE}/plain"
    made = scenery.send(azure, "PUT", path, {"location": "westeurope"}, api_version="2025-02-15").json()
    plain = {"id": "1", "subject": "s", "eventType": "t", "eventTime": "2026-01-05T12:00:00Z", "dataVersion": "1"}
    url = made["properties"]["endpoint"]

    assert post(azure, url, [plain], kind="application/json").status == 200
    assert said(post(azure, url, [EVENT])) == (400, "BadRequest")
    assert azure.events.received[0][2].source.lower() == path.lower()


def test_a_webhook_that_subscribes_to_the_topic_gets_the_event_as_it_was_published(azure: SimulatedAzure) -> None:
    topic = scenery.create_topic(azure, "outcomes")
    properties = {
        "provisioningState": "Succeeded",
        "destination": {"endpointType": WEBHOOK, "properties": {}},
        "filter": {"includedEventTypes": ["RegistryIsolation.Isolated"]},
        "eventDeliverySchema": Schema.CLOUD_EVENTS.value,
    }
    body = {"id": f"{topic.id}/providers/Microsoft.EventGrid/eventSubscriptions/pager", "properties": properties}
    azure.world.put(
        body | {"type": "Microsoft.EventGrid/eventSubscriptions"}, private={"endpointUrl": "https://pager.example/hook"}
    )
    post(azure, topic.properties["endpoint"], [EVENT, EVENT | {"id": "2", "type": "RegistryIsolation.Drifted"}])

    azure.advance(azure.world.now + azure.options.event_lag)
    (delivery,) = azure.events.due(azure.world.now)
    assert delivery.url == "https://pager.example/hook"
    assert json.loads(delivery.body)["source"] == EVENT["source"]


def test_a_subscription_gets_what_its_own_topic_takes_in(azure: SimulatedAzure) -> None:
    topics = [scenery.create_topic(azure, name) for name in ("outcomes", "others")]
    for topic in topics:
        properties = {"provisioningState": "Succeeded", "destination": {"endpointType": WEBHOOK}, "filter": {}}
        azure.world.put(
            {"id": f"{topic.id}/eventSubscriptions/all", "properties": properties},
            private={"endpointUrl": f"https://app.example/{topic.name}"},
        )
    assert post(azure, topics[0].properties["endpoint"], [EVENT]).status == 200
    azure.advance(azure.world.now + azure.options.event_lag)
    assert [each.url for each in azure.events.due(azure.world.now)] == ["https://app.example/outcomes"]
