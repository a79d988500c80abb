"""
Outcome events as CloudEvents on an Event Grid custom topic.

Through the publisher client of azure-eventgrid, with its retries and redirects off: the queue repeats a delivery, and a
token goes nowhere but to the topic that is configured. The sentences name what to do at the topic; nothing here knows
when an event is due.
"""

import json
from collections.abc import Sequence
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.messaging import CloudEvent
from azure.core.pipeline import PipelineRequest
from azure.eventgrid.aio import EventGridPublisherClient

from shared.cloud.arm_policies import ArmTransport
from shared.cloud.credentials import NamedTokens
from shared.core.azure_error_body import quoted
from shared.core.azure_errors import classify
from shared.core.errors import (
    MissingPermission,
    Refused,
    RegistryIsolationError,
    Throttled,
    Unavailable,
)
from shared.core.outcomes import OutcomeEvent

_PUBLISH = "publish outcome events"
_UNAUTHORISED = frozenset({401, 403})
_NOT_FOUND, _TOO_LARGE, _TOO_MANY = 404, 413, 429
_REDIRECTS = range(300, 400)
# The host waits for the function; Event Grid answers within milliseconds or not at all.
_CONNECT_SECONDS = 10
_READ_SECONDS = 30


class EventGridTopic:
    """
    `engine.outcome_ports.OutcomeTopic` on one custom topic.

    Args:
        endpoint: The topic's, as `https://<topic>.<region>-1.eventgrid.azure.net/api/events`.
        source: CloudEvents source of this installation.
        credential: An async token credential; its owner closes it.
        transport: Its owner closes it.
    """

    def __init__(self, *, endpoint: str, source: str, credential: Any, transport: ArmTransport) -> None:
        self._endpoint = endpoint
        self._source = source
        self._client = EventGridPublisherClient(
            endpoint,
            NamedTokens(credential, f"topic {endpoint}"),
            transport=transport,
            retry_total=0,
            permit_redirects=False,
            raw_request_hook=_bound,
        )

    async def publish(self, events: Sequence[OutcomeEvent]) -> None:
        """Publish *events* in one request, so that they arrive in this order and all or none."""
        if not events:
            return
        try:
            await self._client.send([self._cloud_event(event) for event in events])
        except AzureError as error:
            raise self._named(error, events[0]) from error
        except RecursionError as error:  # the SDK reads whatever comes as JSON, however deep
            raise Unavailable(
                f"Topic {self._endpoint} answers with JSON that nobody can read.",
                resource_id=events[0].registry.text,
                operation=_PUBLISH,
            ) from error

    def _cloud_event(self, event: OutcomeEvent) -> CloudEvent[Any]:
        return CloudEvent(
            source=self._source,
            type=event.type,
            id=event.id,
            subject=event.registry.text,
            time=event.at,
            datacontenttype="application/json",
            data=event.data,
        )

    def _named(self, error: AzureError, event: OutcomeEvent) -> RegistryIsolationError:
        """Name *error* by status, whatever the SDK made of it: it wraps a 404 into an exception without an answer."""
        found = error.__cause__ if isinstance(error.__cause__, HttpResponseError) and not _status(error) else error
        status = _status(found)
        said = _message(found)
        where: dict[str, Any] = {"resource_id": event.registry.text, "operation": _PUBLISH}
        if status in _UNAUTHORISED:
            return MissingPermission(
                f"The app may not publish to topic {self._endpoint}: {said} It needs the data action "
                "Microsoft.EventGrid/events/send/action: assign infra/role-outcomes.json (or EventGrid Data Sender) to the "
                "app's identity on the topic.",
                **where,
            )
        if status == _NOT_FOUND:
            return Refused(
                f"There is no topic at {self._endpoint}: {said} Correct ISOLATION_OUTCOME_TOPIC, or make the topic.",
                **where,
            )
        if status in _REDIRECTS:
            return Unavailable(
                f"Topic {self._endpoint} answers with a redirect (HTTP {status}), which the app does not follow.",
                **where,
            )
        if status == _TOO_LARGE:
            return Refused(f"Topic {self._endpoint} finds the events too large: {said}", **where)
        if status == _TOO_MANY:
            return Throttled(f"Topic {self._endpoint} takes no more events at the moment: {said}", **where)
        return classify(status or None, said, {}, **where)


def _bound(request: PipelineRequest[Any]) -> None:
    """Limit the wait: the client hands what its constructor is given to the policies, and nothing to the transport."""
    request.context.options.update(connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)


def _status(error: object) -> int:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    return status or 0


def _message(error: object) -> str:
    """What the topic said, as a sentence may quote it."""
    text = str(error)
    if isinstance(error, HttpResponseError) and error.response is not None:
        text = _told(error.response) or text
    return quoted(text)


def _told(response: Any) -> str:
    try:
        body = json.loads(response.text())
        return str(body["error"]["message"])
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        return ""
