"""
Read what Event Grid delivers: which registry, if any, an event is about.

Two delivery schemas (Event Grid's own, CloudEvents 1.0) and two families of topics (a subscription's resource events,
resource notifications) say the same thing four ways. An event is only a hint, so nothing in it is acted on but the
resource id, and even that is parsed and compared first. Most events of a subscription concern nobody here: they leave
after a dictionary look-up and a split.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.core.arm import MAX_LENGTH, ResourceId, is_guid
from shared.core.errors import MalformedEvent, MalformedResourceId
from shared.core.registry import ACR_TYPE, ENDPOINT_TYPE, RECORD_TYPE, REGISTRY_TYPE, STORAGE_TYPE
from shared.core.requests import Ignored, IgnoredWhy, ReconcileRequest, RelatedResource, RequestReason, registry_id

RESOURCE_WRITE = "Microsoft.Resources.ResourceWriteSuccess"
RESOURCE_DELETE = "Microsoft.Resources.ResourceDeleteSuccess"
NOTIFICATION_WRITE = "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated"
NOTIFICATION_DELETE = "Microsoft.ResourceNotifications.Resources.Deleted"

WRITE_EVENTS = (RESOURCE_WRITE, NOTIFICATION_WRITE)
DELETE_EVENTS = (RESOURCE_DELETE, NOTIFICATION_DELETE)
SUBSCRIPTION_EVENTS = (RESOURCE_WRITE, RESOURCE_DELETE)
"""What an event subscription on a subscription's system topic asks for."""

CONNECTION_SEGMENT = "privateEndpointConnections"
ZONE_GROUP_SEGMENT = "privateDnsZoneGroups"
_CONNECTED = (REGISTRY_TYPE, STORAGE_TYPE, ACR_TYPE)

OPERATION_NAMES = tuple(
    f"{resource_type}/{verb}"
    for resource_type in (
        *_CONNECTED,
        ENDPOINT_TYPE,
        f"{ENDPOINT_TYPE}/{ZONE_GROUP_SEGMENT}",
        *(f"{parent}/{CONNECTION_SEGMENT}" for parent in _CONNECTED),
        RECORD_TYPE,
    )
    for verb in ("write", "delete")
)
"""
`data.operationName` values worth delivering, for an advanced filter (at most 25 values, compared without case).
`privateEndpointConnectionProxies` are not among them: the network provider writes one whenever an endpoint changes,
and that is seen as a write of the endpoint. Zones and their links are not either: they belong to every registry of a
network, so the sweep looks after them.
"""

_SUBJECTS = frozenset(name.rpartition("/")[0].lower() for name in OPERATION_NAMES)
_CHILDREN = frozenset({CONNECTION_SEGMENT.lower(), ZONE_GROUP_SEGMENT.lower()})
_KNOWN = dict.fromkeys(WRITE_EVENTS, False) | dict.fromkeys(DELETE_EVENTS, True)
_FAMILIES = ("Microsoft.Resources.Resource", "Microsoft.ResourceNotifications.")
_OBJECT_ID = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")
_MOST_TEXT = 256
_MOST_CLAIMS = 65_536  # Event Grid bills and documents events in steps of 64 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class _Envelope:
    origin: str
    subject: str
    deleted: bool
    data: Mapping[str, object]


def read_event(
    event: object, *, own_principal: str | None, subscriptions: Collection[str], received: datetime
) -> ReconcileRequest | RelatedResource | Ignored:
    """
    Tell which registry, or what that may belong to one, *event* is about.

    Args:
        event: One event as parsed JSON, in either schema.
        own_principal: Object id of the app's identity; what it caused is ignored. None recognises nothing.
        subscriptions: GUIDs that the policy covers, in any casing; empty covers all.
        received: When the event arrived.

    Raises:
        MalformedEvent: It claims to be a resource event and cannot be read.
    """
    if not isinstance(event, Mapping):
        raise MalformedEvent(f"An event is a JSON object, this is {_shown(event)}.")
    kind = event.get("type" if "specversion" in event else "eventType")
    if not isinstance(kind, str) or not kind:
        raise MalformedEvent(f"The event {_shown(event.get('id'))} has no event type.")
    deleted = _KNOWN.get(kind)
    if deleted is None:
        return _foreign(kind)
    subject = _subject(event)
    if _type_of(subject) not in _SUBJECTS:
        return Ignored(why=IgnoredWhy.RESOURCE_TYPE, detail=subject)
    envelope = _Envelope(
        origin=_origin(event), subject=subject, deleted=deleted, data=_object(event.get("data"), "data")
    )
    return _relevant(envelope, own_principal, subscriptions, received)


def _relevant(
    envelope: _Envelope, own_principal: str | None, subscriptions: Collection[str], received: datetime
) -> ReconcileRequest | RelatedResource | Ignored:
    try:
        resource = ResourceId.parse(envelope.subject)
    except MalformedResourceId as error:
        if _type_of(envelope.subject) == RECORD_TYPE.lower():  # `*` is a record's name and no registry's
            return Ignored(why=IgnoredWhy.RESOURCE_TYPE, detail=envelope.subject)
        raise MalformedEvent(f"The event {envelope.origin} has no readable subject: {error.sentence}") from error
    if resource.type.lower() not in _SUBJECTS:  # "/providers/" twice in one id
        return Ignored(why=IgnoredWhy.RESOURCE_TYPE, detail=resource.type)
    if subscriptions and not _covers(subscriptions, resource.subscription):
        return Ignored(why=IgnoredWhy.SUBSCRIPTION, detail=resource.subscription)
    caller = _caller(envelope.data)
    if own_principal and caller == own_principal.lower():
        return Ignored(why=IgnoredWhy.OWN_WRITE, detail=resource.text)
    child = resource.type.lower().rpartition("/")[2] in _CHILDREN
    owner = resource.parent if child else resource
    deleted = envelope.deleted and not child
    if not owner.is_type(REGISTRY_TYPE):
        return RelatedResource(id=owner, origin=envelope.origin, received=received, caller=caller, deleted=deleted)
    return ReconcileRequest(
        registry=_registry(owner, envelope.origin),
        reason=RequestReason.EVENT,
        origin=envelope.origin,
        received=received,
        caller=caller,
        deleted=deleted,
    )


def _foreign(kind: str) -> Ignored:
    why = IgnoredWhy.EVENT_TYPE
    if kind.startswith(_FAMILIES):
        if kind.endswith("ActionSuccess"):
            why = IgnoredWhy.ACTION
        elif kind.endswith(("Failure", "Cancel")):
            why = IgnoredWhy.NOT_SUCCESSFUL
    return Ignored(why=why, detail=kind[:_MOST_TEXT])


def _subject(event: Mapping[str, object]) -> str:
    subject = event.get("subject") or _uri(event.get("data"))
    if not isinstance(subject, str) or not subject:
        raise MalformedEvent(f"The event {_shown(event.get('id'))} has no subject, so it names no resource.")
    if len(subject) > MAX_LENGTH or not subject.startswith("/"):
        raise MalformedEvent(f"The subject of the event is not an ARM resource id: {_shown(subject)}.")
    return subject


def _uri(data: object) -> object:
    """The resource id that the data repeats: `resourceUri`, or `resourceInfo.id` in a resource notification."""
    if not isinstance(data, Mapping):
        return None
    info = data.get("resourceInfo")
    return data.get("resourceUri") or (info.get("id") if isinstance(info, Mapping) else None)


def _type_of(subject: str) -> str:
    """The resource type that the last provider of an id spells, lower-cased; cheap and without validation."""
    namespace, *pairs = subject.lower().rstrip("/").rpartition("/providers/")[2].split("/")
    return "/".join((namespace, *pairs[0::2]))


def _origin(event: Mapping[str, object]) -> str:
    origin = event.get("id")
    if not isinstance(origin, str) or not 0 < len(origin) <= _MOST_TEXT or not origin.isprintable():
        raise MalformedEvent(f"The event has no usable id: {_shown(origin)}.")
    return origin


def _object(value: object, name: str) -> Mapping[str, object]:
    """A member that documentation shows as an object and, in older pages, as JSON text; {} for anything else."""
    if isinstance(value, str) and value.startswith("{"):
        if len(value) > _MOST_CLAIMS:
            raise MalformedEvent(f"The event's {name} has {len(value)} characters, more than Event Grid delivers.")
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}  # a placeholder such as "{azure_resource_manager_claims}" in samples: no information
    return value if isinstance(value, Mapping) else {}


def _caller(data: Mapping[str, object]) -> str:
    """Object id of whoever caused the event, lower-cased; "" if the event does not say."""
    claims = _object(data.get("claims"), "claims")
    evidence = _object(_object(data.get("authorization"), "authorization").get("evidence"), "evidence")
    for value in (*(claims.get(name) for name in _OBJECT_ID), evidence.get("principalId")):
        if isinstance(value, str) and is_guid(_dashed(value)):
            return _dashed(value).lower()
    return ""


def _dashed(text: str) -> str:
    """Evidence spells object ids without hyphens."""
    if len(text) == 32:  # noqa: PLR2004 -- hexadecimal digits of a GUID
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return text


def _covers(subscriptions: Collection[str], subscription: str) -> bool:
    wanted = subscription.lower()
    return wanted in subscriptions or any(known.lower() == wanted for known in subscriptions)


def _registry(resource: ResourceId, origin: str) -> ResourceId:
    try:
        return registry_id(resource.text)
    except MalformedResourceId as error:
        raise MalformedEvent(f"The event {origin} names no registry: {error.sentence}") from error


def _shown(value: object) -> str:
    """A short, printable form of untrusted input."""
    text = repr(value) if not isinstance(value, (Mapping, list)) else f"a {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:117]}..."  # noqa: PLR2004 -- readable in a log line
