"""
How a webhook proves that it wants events, before the first one is sent.

In the Event Grid schema the endpoint gets a SubscriptionValidationEvent and must echo its code (or somebody must open
its validation URL); in the CloudEvents schema it gets an OPTIONS request and must allow the origin (documentation:
"Webhook event delivery" and "CloudEvents endpoint validation"). The outcome is told exactly once.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.simulator.event_grid_events import Schema, validation_event

ORIGIN = "eventgrid.azure.net"
ANSWER_WITHIN = timedelta(seconds=30)
MANUAL_WITHIN = timedelta(minutes=10)
"""How long the validation URL is good for (documentation; ten minutes since 2023)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeRequest:
    """The one HTTP call of a handshake."""

    id: str
    subscription_id: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class _Open:
    request: HandshakeRequest
    code: str
    schema: Schema
    settled: Callable[[bool], None]
    opened: datetime
    sent: bool = False
    manual: bool = False
    """The endpoint answered 2xx without the code: somebody may still open the validation URL."""

    @property
    def ends(self) -> datetime:
        return self.opened + (MANUAL_WITHIN if self.manual else ANSWER_WITHIN)


class Handshakes:
    """All handshakes that are not settled."""

    def __init__(self, endpoint: Callable[[], str]) -> None:
        self._endpoint = endpoint
        self._open: dict[str, _Open] = {}

    def open(
        self,
        *,
        subscription_id: str,
        url: str,
        schema: Schema,
        source: str,
        code: str,
        now: datetime,
        settled: Callable[[bool], None],
    ) -> None:
        """Ask *url*; *settled* is called with True or False once it is known."""
        request = (
            _options(subscription_id, url, code)
            if schema is Schema.CLOUD_EVENTS
            else self._post(subscription_id, url, source, code, now)
        )
        self._open[request.id] = _Open(request=request, code=code, schema=schema, settled=settled, opened=now)

    def _post(self, subscription_id: str, url: str, source: str, code: str, now: datetime) -> HandshakeRequest:
        event = validation_event(
            event_id=code[::-1],
            source=source,
            code=code,
            url=f"{self._endpoint()}/eventgrid/validate?id={code}",
            now=now,
        )
        return HandshakeRequest(
            id=f"handshake-{code}",
            subscription_id=subscription_id,
            url=url,
            method="POST",
            headers={
                "Content-Type": "application/json; charset=utf-8",
                "aeg-event-type": "SubscriptionValidation",
                "aeg-subscription-name": subscription_id.rsplit("/", 1)[-1].upper(),
                "aeg-delivery-count": "0",
            },
            body=json.dumps([event.as_event_grid()]).encode(),
        )

    def next_due(self) -> datetime | None:
        return min((each.ends if each.sent else each.opened for each in self._open.values()), default=None)

    def due(self, now: datetime) -> Iterator[HandshakeRequest]:
        """Requests to send now; handshakes whose time is over are settled with False."""
        for each in list(self._open.values()):
            if each.sent and each.ends <= now:
                self._settle(each, accepted=False)
            elif not each.sent:
                each.sent = True
                yield each.request

    def answered(self, request_id: str, status: int | None, body: bytes, headers: Mapping[str, str]) -> bool:
        """Take the endpoint's answer; False when *request_id* is no handshake's."""
        if not request_id.startswith("handshake-"):
            return False
        each = self._open.get(request_id)
        if each is None:
            return True
        if status is None or not 200 <= status < 300:
            self._settle(each, accepted=False)
        elif each.schema is Schema.CLOUD_EVENTS:
            self._settle(each, accepted=_allows(headers))
        elif _echoes(body, each.code):
            self._settle(each, accepted=True)
        else:
            each.manual = True
        return True

    def awaits_person(self, subscription_id: str) -> bool:
        """Whether the endpoint answered without the code, so that the validation URL is what is left."""
        return any(each.manual and each.request.subscription_id == subscription_id for each in self._open.values())

    def validate_manually(self, code: str) -> bool:
        """Somebody opened the validation URL; False when its code is not open (any more)."""
        each = self._open.get(f"handshake-{code}")
        if each is None:
            return False
        self._settle(each, accepted=True)
        return True

    def _settle(self, each: _Open, *, accepted: bool) -> None:
        del self._open[each.request.id]
        each.settled(accepted)


def _options(subscription_id: str, url: str, code: str) -> HandshakeRequest:
    return HandshakeRequest(
        id=f"handshake-{code}",
        subscription_id=subscription_id,
        url=url,
        method="OPTIONS",
        headers={"WebHook-Request-Origin": ORIGIN},
        body=b"",
    )


def _allows(headers: Mapping[str, str]) -> bool:
    allowed = next((value for name, value in headers.items() if name.lower() == "webhook-allowed-origin"), "")
    return allowed.strip().lower() in {"*", ORIGIN}


def _echoes(body: bytes, code: str) -> bool:
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    return isinstance(answer, dict) and answer.get("validationResponse") == code
