"""Event Grid as Resource Manager shows it: topics, subscriptions, the proof of the webhook, refusals."""

import json
from typing import Any

import pytest

from local.simulator.event_grid import Delivery
from local.simulator.wire import Response
from tests.local.simulator.arm_client import GROUP, SUB, ArmClient

TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/management"
SUBSCRIPTION = f"{TOPIC}/eventSubscriptions/registries"
EXTENSION = f"{SUB}/providers/Microsoft.EventGrid/eventSubscriptions/registries"
URL = "https://app.example/hook?code=secret"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"


def webhook(**more: Any) -> dict[str, Any]:
    destination = {"endpointType": "WebHook", "properties": {"endpointUrl": URL}}
    return {"properties": {"destination": destination, **more}}


def function(name: str = "on_event") -> dict[str, Any]:
    details = {"resourceId": f"{SITE}/functions/{name}"}
    return {"properties": {"destination": {"endpointType": "AzureFunction", "properties": details}}}


@pytest.fixture
def client() -> ArmClient:
    client = ArmClient(version="2025-02-15")
    client.group()
    body = {"location": "global", "properties": {"source": SUB, "topicType": "Microsoft.Resources.Subscriptions"}}
    assert client.put(TOPIC, body).status == 201
    return client


def take(client: ArmClient) -> list[Delivery]:
    return client.azure.events.due(client.azure.world.now)


def report(client: ArmClient, delivery: Delivery, status: int | None, answer: Any = None, **headers: str) -> None:
    body = b"" if answer is None else json.dumps(answer).encode()
    client.azure.events.report(delivery.id, status, client.azure.world.now, body=body, headers=headers)


def state(client: ArmClient, path: str = SUBSCRIPTION) -> str:
    return str(client.get(path).json()["properties"]["provisioningState"])


def poll(client: ArmClient, started: Response) -> dict[str, Any]:
    found: dict[str, Any] = client.get(started.header("Azure-AsyncOperation")).json()
    return found


def test_a_subscription_is_served_once_its_webhook_has_echoed_the_code(client: ArmClient) -> None:
    started = client.put(SUBSCRIPTION, webhook())
    assert (started.status, state(client)) == (201, "Creating")
    (handshake,) = take(client)
    (event,) = json.loads(handshake.body)
    assert (handshake.url, handshake.headers["aeg-event-type"]) == (URL, "SubscriptionValidation")
    assert event["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    assert event["topic"] == SUB
    assert poll(client, started)["status"] == "InProgress"

    report(client, handshake, 200, {"validationResponse": event["data"]["validationCode"]})
    assert (poll(client, started)["status"], state(client)) == ("Succeeded", "Succeeded")


def test_a_webhook_of_cloud_events_allows_the_origin(client: ArmClient) -> None:
    client.put(EXTENSION, webhook(eventDeliverySchema="CloudEventSchemaV1_0"))
    (handshake,) = take(client)
    assert (handshake.method, handshake.headers["WebHook-Request-Origin"]) == ("OPTIONS", "eventgrid.azure.net")
    report(client, handshake, 200, **{"webhook-allowed-origin": "eventgrid.azure.net"})
    assert state(client, EXTENSION) == "Succeeded"


@pytest.mark.parametrize("status", [404, 500, None])
def test_a_webhook_that_does_not_answer_makes_the_subscription_fail(client: ArmClient, status: int | None) -> None:
    started = client.put(SUBSCRIPTION, webhook())
    (handshake,) = take(client)
    report(client, handshake, status)
    client.wait(31)
    failed = poll(client, started)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "Url validation")
    assert "secret" not in failed["error"]["message"]
    assert state(client) == "Failed"


def test_a_wrong_origin_is_no_permission(client: ArmClient) -> None:
    client.put(EXTENSION, webhook(eventDeliverySchema="CloudEventSchemaV1_0"))
    (handshake,) = take(client)
    report(client, handshake, 200, **{"WebHook-Allowed-Origin": "elsewhere.example"})
    assert state(client, EXTENSION) == "Failed"


def test_an_answer_without_the_code_leaves_the_validation_url(client: ArmClient) -> None:
    client.put(SUBSCRIPTION, webhook())
    (handshake,) = take(client)
    report(client, handshake, 200, {"hello": "there"})
    client.wait(31)
    assert state(client) == "AwaitingManualAction"
    (event,) = json.loads(handshake.body)
    url = event["data"]["validationUrl"]
    assert client.get(url).status == 200
    assert state(client) == "Succeeded"
    assert client.get(url).status == 400


def test_the_secret_part_of_the_url_is_shown_on_demand_only(client: ArmClient) -> None:
    client.put(SUBSCRIPTION, webhook())
    shown = client.get(SUBSCRIPTION)
    assert b"secret" not in shown.body
    assert shown.json()["properties"]["destination"]["properties"]["endpointBaseUrl"] == "https://app.example/hook"
    assert client.post(f"{SUBSCRIPTION}/getFullUrl").json() == {"endpointUrl": URL}


def test_a_function_needs_no_handshake_but_a_host(client: ArmClient) -> None:
    refused = client.put(SUBSCRIPTION, function())
    assert client.error(refused) == (400, "Endpoint validation")
    assert client.get(SUBSCRIPTION).status == 404

    client.azure.events.host_functions(SITE, "http://127.0.0.1:7071/", key="k")
    assert client.put(SUBSCRIPTION, function()).status == 201
    client.wait(1)
    assert state(client) == "Succeeded"
    client.patch(GROUP, {"tags": {}}, version="2021-04-01")
    client.put(f"{SUB}/resourceGroups/rg-new", {"location": "westeurope"}, version="2021-04-01")
    client.wait(2)
    urls = {each.url for each in take(client)}
    assert urls == {"http://127.0.0.1:7071/runtime/webhooks/eventgrid?functionName=on_event&code=k"}


def test_a_bad_filter_is_refused_with_every_reason(client: ArmClient) -> None:
    values = [str(number) for number in range(26)]
    bad = [
        {"operatorType": "StringIn", "key": "data.a", "values": values},
        {"operatorType": "Like", "key": "data.a", "values": ["x"]},
    ]
    answer = client.put(SUBSCRIPTION, webhook(filter={"advancedFilters": bad}))
    assert client.error(answer) == (400, "InvalidRequest")
    message = answer.json()["error"]["message"]
    assert "27 values" in message
    assert "'Like'" in message


@pytest.mark.parametrize("kind", ["StorageQueue", "EventHub"])
def test_other_destinations_are_not_simulated(client: ArmClient, kind: str) -> None:
    body = {"properties": {"destination": {"endpointType": kind, "properties": {}}}}
    assert client.error(client.put(SUBSCRIPTION, body)) == (501, "NotSimulated")


def test_a_source_has_one_system_topic_of_a_type(client: ArmClient) -> None:
    body = {"location": "global", "properties": {"source": SUB, "topicType": "Microsoft.Resources.Subscriptions"}}
    assert client.error(client.put(f"{TOPIC}2", body)) == (400, "InvalidRequest")
    assert client.put(TOPIC, body).status == 200
    body["location"] = "westeurope"
    assert client.error(client.put(TOPIC, body)) == (400, "InvalidRequest")


def test_a_topic_type_that_publishes_nothing_is_not_simulated(client: ArmClient) -> None:
    body = {"location": "global", "properties": {"source": SUB, "topicType": "Microsoft.Storage.StorageAccounts"}}
    assert client.put(f"{TOPIC}2", body).status == 501


def test_notifications_need_a_right_of_their_own(client: ArmClient) -> None:
    topic = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/notifications"
    kind = "Microsoft.ResourceNotifications.Resources"
    client.put(topic, {"location": "global", "properties": {"source": SUB, "topicType": kind}})
    client.azure.rbac.principal("deployer", actions=["Microsoft.EventGrid/*"])
    deployer = ArmClient(client.azure, principal="deployer")
    answer = deployer.put(f"{topic}/eventSubscriptions/one", webhook())
    assert client.error(answer) == (403, "LinkedAuthorizationFailed")
    assert deployer.put(f"{TOPIC}/eventSubscriptions/one", webhook()).status == 201


def test_subscriptions_are_listed_where_they_are(client: ArmClient) -> None:
    client.put(SUBSCRIPTION, webhook())
    client.put(EXTENSION, webhook())
    for path in (f"{TOPIC}/eventSubscriptions", f"{SUB}/providers/Microsoft.EventGrid/eventSubscriptions"):
        assert [each["name"] for each in client.get(path).json()["value"]] == ["registries"]
    assert client.delete(SUBSCRIPTION).status == 200
    assert client.delete(SUBSCRIPTION).status == 204


def test_a_filter_can_be_changed_afterwards(client: ArmClient) -> None:
    client.put(SUBSCRIPTION, webhook())
    answer = client.patch(SUBSCRIPTION, {"filter": {"subjectEndsWith": "/contoso"}})
    assert answer.json()["properties"]["filter"] == {"subjectEndsWith": "/contoso"}


def test_a_custom_topic_has_keys_and_an_address(client: ArmClient) -> None:
    topic = f"{GROUP}/providers/Microsoft.EventGrid/topics/outcomes"
    made = client.put(topic, {"location": "westeurope", "properties": {"inputSchema": "CloudEventSchemaV1_0"}})
    assert made.status == 201
    assert made.json()["properties"]["endpoint"].endswith("/api/events")
    assert set(client.post(f"{topic}/listKeys").json()) == {"key1", "key2"}
    assert b"key1" not in client.get(topic).body


def test_a_subscription_without_a_destination_or_with_an_unknown_schema_is_refused(client: ArmClient) -> None:
    assert client.error(client.put(SUBSCRIPTION, {"properties": {"destination": {}}})) == (400, "InvalidRequest")
    odd = client.put(SUBSCRIPTION, webhook(eventDeliverySchema="Morse"))
    assert client.error(odd) == (400, "InvalidRequest")
    assert "'Morse'" in odd.json()["error"]["message"]
    assert client.get(SUBSCRIPTION).status == 404


def test_a_topic_of_another_type_that_somebody_made_serves_nobody(client: ArmClient) -> None:
    other = f"{GROUP}/providers/Microsoft.EventGrid/systemTopics/blobs"
    client.azure.world.put(
        {"id": other, "properties": {"source": SUB, "topicType": "Microsoft.Storage.StorageAccounts"}}
    )
    answer = client.put(f"{other}/eventSubscriptions/one", webhook())
    assert client.error(answer) == (501, "NotSimulated")


def test_topics_need_what_they_are_about_and_where_they_are(client: ArmClient) -> None:
    for lacking in ({"source": SUB}, {"topicType": "Microsoft.Resources.Subscriptions"}, {}):
        answer = client.put(f"{TOPIC}2", {"location": "global", "properties": lacking})
        assert client.error(answer) == (400, "InvalidRequest")
    custom = f"{GROUP}/providers/Microsoft.EventGrid/topics/outcomes"
    assert client.error(client.put(custom, {"properties": {}})) == (400, "LocationRequired")


def test_topics_are_listed_by_group_and_by_subscription_and_deleted(client: ArmClient) -> None:
    for scope in (GROUP, SUB):
        listed = client.get(f"{scope}/providers/Microsoft.EventGrid/systemTopics").json()["value"]
        assert [each["id"] for each in listed] == [TOPIC]
    assert client.delete(TOPIC).status == 200
    assert client.delete(TOPIC).status == 204
    assert client.get(f"{SUB}/providers/Microsoft.EventGrid/systemTopics").json()["value"] == []
