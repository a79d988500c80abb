"""
Event Grid: who is told about a change, when, and what happens when nobody listens.

The world's rules call `emit`; a driver (the HTTPS server, or a test) takes what `due` gives, makes the HTTP call and
hands the answer to `report`. Nothing here does I/O. Delivery is at least once and unordered; `disturb` makes it
duplicate, drop, delay or reorder on purpose.

Subscriptions are ordinary resources of the world: Microsoft.EventGrid/eventSubscriptions on any scope, or below a
system topic. Only those in provisioningState Succeeded are served.
"""

import heapq
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from local.simulator.call import Change
from local.simulator.event_grid_events import Event, Schema, notification_event, resource_event
from local.simulator.event_grid_filters import matches
from local.simulator.event_grid_handshake import Handshakes
from local.simulator.event_grid_schedule import (
    DEAD_LETTER_DELAY,
    LATE_ANSWER_COUNTS_UNTIL,
    RESPONSE_DEADLINE,
    SUCCESS,
    Again,
    after_failure,
    outcome_of,
)
from local.simulator.event_grid_subscriptions import Family, Subscription, source_of, subscriptions
from local.simulator.options import Options
from local.simulator.wire import JsonObject
from local.simulator.world import Resource, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One HTTP call that the driver must make now. `attempt` counts from 1."""

    id: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    attempt: int
    subscription: str


class Disturbance(StrEnum):
    DUPLICATE = "duplicate"
    """The event is delivered once more."""
    DROP = "drop"
    """The event is never delivered."""
    DELAY = "delay"
    """The event is delivered that much later."""
    REORDER = "reorder"
    """The event is delivered at a random moment within that span, so that later ones may overtake it."""


@dataclass(slots=True, kw_only=True)
class Disturb:
    """A rule of misbehaviour; *times* bounds how often it acts, None for ever."""

    kind: Disturbance
    probability: float = 1.0
    times: int | None = None
    subject_contains: str = ""
    span: timedelta = timedelta(seconds=60)

    def strikes(self, event: Event, draw: float) -> bool:
        if self.times == 0 or self.subject_contains.lower() not in event.subject.lower() or draw >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An event that was given up. *stored* is false when there was no dead-letter destination: the event is lost."""

    at: datetime
    subscription: str
    stored: bool
    body: JsonObject


@dataclass(slots=True, kw_only=True)
class _Pending:
    id: str
    subscription: str
    event: Event
    published: datetime
    attempts: int = 0
    started: datetime | None = None
    """When the attempt in flight was handed out; None while waiting."""


@dataclass(slots=True)
class _Queue:
    """Moments at which something must be looked at, earliest first."""

    heap: list[tuple[datetime, int, str]] = field(default_factory=list)
    count: int = 0

    def add(self, at: datetime, key: str) -> None:
        self.count += 1
        heapq.heappush(self.heap, (at, self.count, key))

    def take(self, now: datetime) -> Iterator[tuple[datetime, str]]:
        while self.heap and self.heap[0][0] <= now:
            at, _, key = heapq.heappop(self.heap)
            yield at, key

    def first(self) -> datetime | None:
        return self.heap[0][0] if self.heap else None


class EventGrid:
    """Everything between a change and the webhook's answer."""

    def __init__(
        self,
        world: World,
        *,
        tenant_id: str,
        options: Options | None = None,
        endpoint: Callable[[], str] = str,
        seed: int = 0,
    ) -> None:
        self._world = world
        self._tenant_id = tenant_id
        self._options = options or Options()
        self._random = random.Random(seed)
        self._pending: dict[str, _Pending] = {}
        self._waiting = _Queue()
        self._flying = _Queue()
        self._function_hosts: dict[str, tuple[str, str]] = {}
        self.handshakes = Handshakes(endpoint)
        self.disturbances: list[Disturb] = []
        self.dead_letters: list[DeadLetter] = []
        self.delivered: list[tuple[datetime, str, Event]] = []
        """When, by which subscription and what was accepted by an endpoint."""
        self.received: list[tuple[datetime, str, Event]] = []
        """When, by which custom topic and what was taken in, whoever subscribes to it."""

    # -- set-up ------------------------------------------------------------------------------------------------------

    def disturb(self, disturbance: Disturb) -> None:
        self.disturbances.append(disturbance)

    def host_functions(self, site_id: str, base_url: str, key: str = "") -> None:
        """Deliver to functions of the site *site_id* through its host at *base_url*, with the host's system key."""
        self._function_hosts[site_id.lower().rstrip("/")] = (base_url.rstrip("/"), key)

    def function_url(self, function_id: str) -> str | None:
        """The webhook of the Event Grid extension for a function's resource id; None when no host runs the site."""
        site, _, function = function_id.lower().rpartition("/functions/")
        host = self._function_hosts.get(site)
        if host is None:
            return None
        base, key = host
        name = function_id.rsplit("/", 1)[-1]
        code = f"&code={key}" if key else ""
        return f"{base}/runtime/webhooks/eventgrid?functionName={name or function}{code}"

    # -- publishing --------------------------------------------------------------------------------------------------

    def emit(self, change: Change) -> None:
        """A management operation has ended: queue its events for every subscription that wants them."""
        made: dict[tuple[Family, str], Event | None] = {}
        for each in self._subscriptions():
            if not each.concerns(change.resource_id):
                continue
            key = (each.family, each.source)
            if key not in made:
                made[key] = self._event(change, each)
            event = made[key]
            if event is not None:
                self._enqueue(each, event, change.at + self._options.event_lag)

    def publish(self, topic_id: str, event: Event) -> None:
        """An event arrives at a custom topic."""
        self.received.append((self._world.now, topic_id, event))
        for each in self._subscriptions():
            if each.source.lower() == topic_id.lower():
                self._enqueue(each, event, self._world.now + self._options.event_lag)

    def _event(self, change: Change, subscription: Subscription) -> Event | None:
        event_id = self._guid()
        if subscription.family is Family.NOTIFICATIONS:
            return notification_event(change, event_id=event_id, source=subscription.source)
        return resource_event(change, event_id=event_id, source=subscription.source, tenant_id=self._tenant_id)

    def _enqueue(self, subscription: Subscription, event: Event, at: datetime) -> None:
        if not matches(subscription.filter, event, subscription.schema):
            return
        copies = 1
        for each in self.disturbances:
            if not each.strikes(event, self._random.random()):
                continue
            match each.kind:
                case Disturbance.DROP:
                    return
                case Disturbance.DUPLICATE:
                    copies += 1
                case Disturbance.DELAY:
                    at += each.span
                case Disturbance.REORDER:
                    at += each.span * self._random.random()
                case _:
                    assert_never(each.kind)
        for _ in range(copies):
            pending = _Pending(
                id=self._guid(), subscription=subscription.id.lower(), event=event, published=self._world.now
            )
            self._pending[pending.id] = pending
            self._waiting.add(at, pending.id)

    def _subscriptions(self) -> Iterator[Subscription]:
        return subscriptions(self._world, self.function_url)

    # -- delivering --------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """When `due` will next have something to give or to give up; None when nothing is on its way."""
        moments = (self._waiting.first(), self._flying.first(), self.handshakes.next_due())
        return min((each for each in moments if each is not None), default=None)

    def next_attempt(self) -> datetime | None:
        """When an event is sent the next time; None when none waits. Unlike `next_due`, nothing of what is in flight."""
        return self._waiting.first()

    def due(self, now: datetime) -> list[Delivery]:
        """Everything to be sent at *now*; each must be answered with `report`, 30 s of silence count as a failure."""
        for at, key in self._flying.take(now):
            pending = self._pending.get(key)
            if pending is not None and pending.started is not None and pending.started + RESPONSE_DEADLINE <= at:
                self._failed(pending, None, at)
        found = self._handshakes_due(now)
        for _, key in self._waiting.take(now):
            pending = self._pending.get(key)
            subscription = self._subscription(pending.subscription) if pending else None
            if pending is None:
                continue
            if subscription is None:
                del self._pending[key]
                continue
            found.append(self._start(pending, subscription, now))
        return found

    def report(
        self,
        delivery_id: str,
        status: int | None,
        now: datetime,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """
        The endpoint's answer to a delivery.

        Args:
            status: None when there was no answer (connection refused, timeout).
            body: Needed for handshakes only, as are *headers*.
        """
        if self.handshakes.answered(delivery_id, status, body, headers or {}):
            return
        key, _, attempt = delivery_id.rpartition("-")
        pending = self._pending.get(key)
        if pending is None:
            return
        if status in SUCCESS:
            if pending.attempts == int(attempt) or now - pending.published <= LATE_ANSWER_COUNTS_UNTIL:
                self.delivered.append((now, pending.subscription, pending.event))
                del self._pending[key]
            return
        if pending.started is not None and pending.attempts == int(attempt):
            self._failed(pending, status, now)

    def _start(self, pending: _Pending, subscription: Subscription, now: datetime) -> Delivery:
        pending.attempts += 1
        pending.started = now
        self._flying.add(now + RESPONSE_DEADLINE, pending.id)
        body = pending.event.rendered(subscription.schema)
        cloud = subscription.schema is Schema.CLOUD_EVENTS
        return Delivery(
            id=f"{pending.id}-{pending.attempts}",
            url=subscription.url,
            method="POST",
            headers={
                "Content-Type": f"application/{'cloudevents+json' if cloud else 'json'}; charset=utf-8",
                "aeg-subscription-name": subscription.name.upper(),
                "aeg-delivery-count": str(pending.attempts - 1),
                "aeg-data-version": "" if cloud else pending.event.data_version,
                "aeg-metadata-version": "0" if cloud else "1",
                "aeg-event-type": "Notification",
                **subscription.headers,
            },
            body=json.dumps(body if cloud else [body]).encode(),
            attempt=pending.attempts,
            subscription=subscription.id,
        )

    def _failed(self, pending: _Pending, status: int | None, now: datetime) -> None:
        pending.started = None
        subscription = self._subscription(pending.subscription)
        if subscription is None:
            del self._pending[pending.id]
            return
        decision = after_failure(
            status=status,
            attempt=pending.attempts,
            published=pending.published,
            now=now,
            policy=subscription.retry,
            webhook=subscription.is_webhook,
            jitter=self._random.random(),
        )
        if isinstance(decision, Again):
            self._waiting.add(decision.at, pending.id)
            return
        del self._pending[pending.id]
        self.dead_letters.append(_dead_letter(pending, subscription, decision.reason, outcome_of(status), now))

    def _subscription(self, subscription_id: str) -> Subscription | None:
        return next((each for each in self._subscriptions() if each.id.lower() == subscription_id), None)

    # -- handshakes --------------------------------------------------------------------------------------------------

    def prove_endpoint(self, resource: Resource, url: str, settled: Callable[[bool], None]) -> None:
        """Ask the webhook of a new subscription whether it wants events; *settled* learns the answer once."""
        schema = Schema(resource.properties.get("eventDeliverySchema") or Schema.EVENT_GRID)
        source = source_of(self._world, resource)
        self.handshakes.open(
            subscription_id=resource.id,
            url=url,
            schema=schema,
            source=source,
            code=self._guid(),
            now=self._world.now,
            settled=settled,
        )

    def _handshakes_due(self, now: datetime) -> list[Delivery]:
        return [
            Delivery(
                id=each.id,
                url=each.url,
                method=each.method,
                headers=each.headers,
                body=each.body,
                attempt=1,
                subscription=each.subscription_id,
            )
            for each in self.handshakes.due(now)
        ]

    def _guid(self) -> str:
        value = f"{self._random.getrandbits(128):032x}"
        return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _dead_letter(pending: _Pending, subscription: Subscription, reason: str, outcome: str, now: datetime) -> DeadLetter:
    """The event with the members that Event Grid adds; their names are lower-cased in the CloudEvents form."""
    added: JsonObject = {
        "deadLetterReason": reason,
        "deliveryAttempts": pending.attempts,
        "lastDeliveryOutcome": outcome,
        "publishTime": pending.published.isoformat(),
        "lastDeliveryAttemptTime": now.isoformat(),
    }
    if subscription.schema is Schema.CLOUD_EVENTS:
        added = {name.lower(): value for name, value in added.items()}
    return DeadLetter(
        at=now + DEAD_LETTER_DELAY,
        subscription=subscription.id,
        stored=subscription.dead_letters,
        body=pending.event.rendered(subscription.schema) | added,
    )
