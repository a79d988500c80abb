"""Publishing through azure-eventgrid: what goes over the wire, and what every refusal is called."""

from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from local.simulator import scenery
from local.simulator.azure import SimulatedAzure
from local.simulator.providers.event_grid_publishing import SEND
from local.simulator.transport import SimulatedCredential, SimulatedTransport
from shared.cloud.outcome_events import EventGridTopic
from shared.core.errors import MissingPermission, Refused, RegistryIsolationError, Throttled, Unavailable
from shared.core.outcomes import OutcomeKind, Told
from tests.cloud.answering import AnsweringTransport, FixedCredential, Reply, Sent
from tests.core.test_outcomes import ALPHA, FULL, an_event
from tests.virtual_time import LoopClock

URL = "https://outcomes.westeurope-1.eventgrid.azure.net/api/events"
SOURCE = "/registry-isolation"
APP = "00000000-0000-4000-8000-0000000000aa"
EVENTS = (
    an_event(),
    an_event(Told(kind=OutcomeKind.ISOLATED, phase="converged"), OutcomeKind.BLOCKED, reasons=[FULL]),
)


def topic_over(transport: Any, credential: Any = None) -> EventGridTopic:
    return EventGridTopic(endpoint=URL, source=SOURCE, credential=credential or FixedCredential(), transport=transport)


async def refused(reply: Reply) -> RegistryIsolationError:
    transport = AnsweringTransport(lambda _: reply)
    with pytest.raises(RegistryIsolationError) as caught:
        await topic_over(transport).publish(EVENTS)
    assert len(transport.sent) == 1  # whoever delivers repeats, not the SDK
    assert caught.value.resource_id == ALPHA.text
    return caught.value


def told(status: int, message: str = "because") -> Reply:
    return Reply(status, {"error": {"code": "X", "message": message, "details": []}})


async def test_events_go_out_as_one_batch_of_cloud_events() -> None:
    transport = AnsweringTransport(lambda _: Reply())
    await topic_over(transport).publish(EVENTS)

    (sent,) = transport.sent
    assert (sent.method, sent.url) == ("POST", f"{URL}?api-version=2018-01-01")
    assert sent.headers["Content-Type"].startswith("application/cloudevents-batch+json")
    assert sent.headers["Authorization"] == "Bearer token"
    first, second = sent.body
    assert first == {
        "id": EVENTS[0].id,
        "source": SOURCE,
        "specversion": "1.0",
        "type": "RegistryIsolation.Isolated",
        "subject": ALPHA.text,
        "time": first["time"],
        "datacontenttype": "application/json",
        "data": EVENTS[0].data,
    }
    assert first["time"].startswith(EVENTS[0].at.isoformat()[:19])
    assert (second["type"], second["data"]["reasons"][0]["name"]) == ("RegistryIsolation.Blocked", "SubnetUnusable")
    assert transport.options[0]["connection_timeout"] == 10


async def test_nothing_is_sent_for_nothing() -> None:
    transport = AnsweringTransport(lambda _: Reply())
    await topic_over(transport).publish(())

    assert transport.sent == []


@pytest.mark.parametrize(
    ("status", "leaf", "part"),
    [
        (401, MissingPermission, "role-outcomes.json"),
        (403, MissingPermission, "EventGrid Data Sender"),
        (404, Refused, "ISOLATION_OUTCOME_TOPIC"),
        (413, Refused, "too large"),
        (429, Throttled, "no more events"),
        (500, Unavailable, ""),
        (503, Unavailable, ""),
        (400, Refused, "because"),
        (307, Unavailable, "redirect"),
    ],
)
async def test_every_refusal_has_a_name_and_a_sentence(status: int, leaf: type, part: str) -> None:
    error = await refused(told(status))

    assert type(error) is leaf
    assert part in error.sentence
    assert "token" not in error.sentence


async def test_a_redirect_is_not_followed() -> None:
    moved = Reply(307, b"", {"Location": "https://elsewhere.example/api/events"})
    assert isinstance(await refused(moved), Unavailable)


@pytest.mark.parametrize("status", [401, 404, 413, 429, 500])
async def test_what_the_topic_says_loses_its_secrets_and_its_line_breaks(status: int) -> None:
    error = await refused(told(status, "key\r\naeg-sas-key: abc\u2028 at https://x.example/?sig=abcdef \ud800"))

    assert not any(part in error.sentence for part in (" abc", "abcdef", "\r", "\n", "\u2028", "\ud800"))


@pytest.mark.parametrize("status", [200, 404])
async def test_an_answer_of_the_topic_that_nobody_can_read_is_waited_out(status: int) -> None:
    assert isinstance(await refused(Reply(status, b"[" * 100_000)), Unavailable)


async def test_a_page_instead_of_an_error_is_cut_short() -> None:
    error = await refused(Reply(403, b"<html>" + b"x" * 10_000))
    assert len(error.sentence) < 700


async def test_no_answer_at_all_is_unavailable() -> None:
    def broken(_: Sent) -> Reply:
        raise ServiceRequestError("no route")

    with pytest.raises(Unavailable, match="no route"):
        await topic_over(AnsweringTransport(broken)).publish(EVENTS)


async def test_an_identity_without_a_token_is_told_apart_from_a_topic_that_refuses_one() -> None:
    class Nobody(FixedCredential):
        async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
            raise ClientAuthenticationError("no identity")

    transport = AnsweringTransport(lambda _: Reply())
    with pytest.raises(MissingPermission, match="no access token for topic https://") as caught:
        await topic_over(transport, Nobody()).publish(EVENTS)
    assert "Resource Manager" not in caught.value.sentence
    assert transport.sent == []


@pytest.mark.virtual_time
async def test_the_simulated_topic_takes_what_the_sdk_sends_from_whoever_may_send() -> None:
    azure, clock = SimulatedAzure(), LoopClock()
    endpoint = scenery.create_topic(azure, "outcomes").properties["endpoint"]
    topic = EventGridTopic(
        endpoint=endpoint,
        source=SOURCE,
        credential=SimulatedCredential(azure, APP),
        transport=SimulatedTransport(azure, clock.now),
    )
    azure.rbac.principal(APP, actions=["*"])

    with pytest.raises(MissingPermission, match="does not have permission to send data"):
        await topic.publish(EVENTS)
    azure.rbac.principal(APP, data_actions=[SEND])
    await topic.publish(EVENTS)

    received = [event for _, _, event in azure.events.received]
    assert [event.id for event in received] == [event.id for event in EVENTS]
    assert received[1].data == EVENTS[1].data
