"""
Event subscriptions as Event Grid uses them, read from the resources of the world.

Read anew for every question: whatever way a subscription came into the world (a PUT, a seed file) it counts, and one
that was deleted is gone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.simulator import arm_ids
from local.simulator.event_grid_events import NOTIFICATIONS_TOPIC_TYPE, RESOURCES_TOPIC_TYPES, Schema
from local.simulator.event_grid_schedule import RetryPolicy
from local.simulator.world import Resource, World

EXTENSION_TYPE = "Microsoft.EventGrid/eventSubscriptions"
SYSTEM_TOPIC_TYPE = "Microsoft.EventGrid/systemTopics"
TOPIC_TYPE = "Microsoft.EventGrid/topics"
CHILD_TYPE = f"{SYSTEM_TOPIC_TYPE}/eventSubscriptions"
TOPIC_CHILD_TYPE = f"{TOPIC_TYPE}/eventSubscriptions"

WEBHOOK = "WebHook"
AZURE_FUNCTION = "AzureFunction"


class Family(StrEnum):
    """Which publisher a topic stands for."""

    RESOURCES = "resources"
    NOTIFICATIONS = "notifications"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One event subscription; *source* is the id the events come from and appears in them as topic or source."""

    id: str
    name: str
    source: str
    family: Family
    schema: Schema
    filter: Mapping[str, Any]
    url: str
    is_webhook: bool
    retry: RetryPolicy
    dead_letters: bool
    headers: Mapping[str, str]

    def concerns(self, resource_id: str) -> bool:
        """Whether a change of *resource_id* happens at or below the source."""
        source, wanted = self.source.lower().rstrip("/"), resource_id.lower()
        return self.family is not Family.CUSTOM and (wanted == source or wanted.startswith(source + "/"))


def subscriptions(world: World, function_url: Callable[[str], str | None]) -> Iterator[Subscription]:
    """Every subscription in force. *function_url* finds the webhook of a function's resource id."""
    for kind in (EXTENSION_TYPE, CHILD_TYPE, TOPIC_CHILD_TYPE):
        for resource in world.of_type(kind):
            found = _read(world, resource, function_url)
            if found is not None:
                yield found


def _read(world: World, resource: Resource, function_url: Callable[[str], str | None]) -> Subscription | None:
    properties = resource.properties
    if properties.get("provisioningState", "Succeeded") != "Succeeded":
        return None
    source = _source(world, resource)
    url = endpoint_url(resource, function_url)
    if source is None or url is None:
        return None
    origin, family = source
    return Subscription(
        id=resource.id,
        name=resource.name,
        source=origin,
        family=family,
        schema=Schema(properties.get("eventDeliverySchema") or Schema.EVENT_GRID),
        filter=properties.get("filter") or {},
        url=url,
        is_webhook=destination(resource).get("endpointType") == WEBHOOK,
        retry=RetryPolicy.of(properties.get("retryPolicy")),
        dead_letters=bool(properties.get("deadLetterDestination")),
        headers=_static_headers(destination(resource)),
    )


def destination(resource: Resource) -> Mapping[str, Any]:
    """`destination` of a subscription, wherever it is written."""
    properties = resource.properties
    with_identity = (properties.get("deliveryWithResourceIdentity") or {}).get("destination")
    found = with_identity or properties.get("destination") or {}
    return found if isinstance(found, Mapping) else {}


def endpoint_url(resource: Resource, function_url: Callable[[str], str | None]) -> str | None:
    """Where the deliveries go. The full URL of a webhook is a secret and kept apart from the body."""
    target = destination(resource)
    details: Mapping[str, Any] = target.get("properties") or {}
    if target.get("endpointType") == AZURE_FUNCTION:
        return function_url(str(details.get("resourceId") or ""))
    url = resource.private.get("endpointUrl") or details.get("endpointUrl")
    return str(url) if url else None


def source_of(world: World, resource: Resource) -> str:
    """What the subscription listens to; empty when its topic is gone."""
    found = _source(world, resource)
    return found[0] if found is not None else ""


def _source(world: World, resource: Resource) -> tuple[str, Family] | None:
    parent_id = arm_ids.parse(resource.id).parent
    parent = world.get(parent_id)
    if resource.type.lower() == EXTENSION_TYPE.lower():
        custom = parent is not None and parent.type.lower() == TOPIC_TYPE.lower()
        return _scope(resource.id), Family.CUSTOM if custom else Family.RESOURCES
    if parent is None:
        return None
    if parent.type.lower() == TOPIC_TYPE.lower():
        return parent.id, Family.CUSTOM
    topic_type = str(parent.properties.get("topicType") or "").lower()
    origin = str(parent.properties.get("source") or "")
    if topic_type == NOTIFICATIONS_TOPIC_TYPE:
        return origin, Family.NOTIFICATIONS
    return (origin, Family.RESOURCES) if topic_type in RESOURCES_TOPIC_TYPES else (origin, Family.CUSTOM)


def _scope(resource_id: str) -> str:
    marker = resource_id.lower().rindex("/providers/microsoft.eventgrid/eventsubscriptions/")
    return resource_id[:marker]


def _static_headers(target: Mapping[str, Any]) -> dict[str, str]:
    """`deliveryAttributeMappings` of type Static become headers of every delivery."""
    mappings = (target.get("properties") or {}).get("deliveryAttributeMappings") or ()
    return {
        str(each["name"]): str((each.get("properties") or {}).get("value") or "")
        for each in mappings
        if str(each.get("type")).lower() == "static"
    }
