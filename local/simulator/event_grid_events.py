"""
What Event Grid sends: one event, and the two wire forms it can take.

Azure Resource Manager is the publisher. It has two families: Microsoft.Resources.* (a management operation ended; the
body of the resource is not in it) and Microsoft.ResourceNotifications.Resources.* (the resource changed; the body is).
Members and their order of nesting follow the published samples of both schemas; `httpRequest` is present only for a
delete and for the update of a resource that already existed, as in those samples.

Pure: nothing here looks at the clock, the world or the network.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit

from local.simulator import arm_ids
from local.simulator.call import Change
from local.simulator.wire import JsonObject

RESOURCES_TOPIC_TYPES = ("microsoft.resources.subscriptions", "microsoft.resources.resourcegroups")
NOTIFICATIONS_TOPIC_TYPE = "microsoft.resourcenotifications.resources"
_STATUS = {"Success": "Succeeded", "Failure": "Failed", "Cancel": "Canceled"}
_CLAIM = "http://schemas.microsoft.com/identity/claims/"
_XML_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"


class Schema(StrEnum):
    """`eventDeliverySchema` of an event subscription."""

    EVENT_GRID = "EventGridSchema"
    CLOUD_EVENTS = "CloudEventSchemaV1_0"
    CUSTOM_INPUT = "CustomInputSchema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event before it is given a wire form; *source* is the topic it came from."""

    id: str
    source: str
    subject: str
    type: str
    time: datetime
    data: JsonObject
    data_version: str = "2"

    def as_event_grid(self) -> JsonObject:
        return {
            "subject": self.subject,
            "eventType": self.type,
            "eventTime": timestamp(self.time),
            "id": self.id,
            "data": self.data,
            "dataVersion": self.data_version,
            "metadataVersion": "1",
            "topic": self.source,
        }

    def as_cloud_event(self) -> JsonObject:
        return {
            "source": self.source,
            "subject": self.subject,
            "type": self.type,
            "time": timestamp(self.time),
            "id": self.id,
            "data": self.data,
            "specversion": "1.0",
        }

    def rendered(self, schema: Schema) -> JsonObject:
        return self.as_cloud_event() if schema is Schema.CLOUD_EVENTS else self.as_event_grid()


def resource_event(change: Change, *, event_id: str, source: str, tenant_id: str) -> Event:
    """The Microsoft.Resources.* event of *change*, published by the topic *source*."""
    data: JsonObject = {
        "authorization": {
            "scope": change.resource_id,
            "action": change.operation_name,
            "evidence": {
                "role": "Subscription Admin",
                "principalId": change.principal.id.replace("-", ""),
                "principalType": "ServicePrincipal",
            },
        },
        "claims": _claims(change, tenant_id),
        "correlationId": change.correlation_id,
    }
    if change.verb == "Delete" or change.existed:
        data["httpRequest"] = {
            "clientRequestId": "",
            "clientIpAddress": "203.0.113.7",
            "method": change.method,
            "url": change.url,
        }
    data |= {
        "resourceProvider": change.operation_name.split("/", 1)[0],
        "resourceUri": change.resource_id,
        "operationName": change.operation_name,
        "status": _STATUS[change.outcome],
        "subscriptionId": arm_ids.parse(change.resource_id).subscription,
        "tenantId": tenant_id,
    }
    return Event(
        id=event_id,
        source=source,
        subject=change.resource_id,
        type=f"Microsoft.Resources.Resource{change.verb}{change.outcome}",
        time=change.at,
        data=data,
    )


def notification_event(change: Change, *, event_id: str, source: str) -> Event | None:
    """The Microsoft.ResourceNotifications.Resources.* event of *change*; None when that family has none for it."""
    if change.outcome != "Success" or change.verb == "Action":
        return None
    deleted = change.verb == "Delete"
    body = change.body or {}
    resource_info: JsonObject = {
        "id": change.resource_id,
        "name": change.resource_id.rsplit("/", 1)[-1],
        "type": arm_ids.parse(change.resource_id).type,
    }
    data: JsonObject = {
        "resourceInfo": resource_info,
        "operationalInfo": {"resourceEventTime": timestamp(change.at)},
    }
    if not deleted:
        resource_info |= {
            "location": body.get("location", ""),
            "tags": body.get("tags") or {},
            "properties": body.get("properties") or {},
        }
        data["apiVersion"] = dict(parse_qsl(urlsplit(change.url).query)).get("api-version", "")
    return Event(
        id=event_id,
        source=source,
        subject=change.resource_id,
        type=f"Microsoft.ResourceNotifications.Resources.{'Deleted' if deleted else 'CreatedOrUpdated'}",
        time=change.at,
        data=data,
        data_version="1",
    )


def validation_event(*, event_id: str, source: str, code: str, url: str, now: datetime) -> Event:
    """The first event a webhook of the Event Grid schema receives; it must echo the code."""
    return Event(
        id=event_id,
        source=source,
        subject="",
        type="Microsoft.EventGrid.SubscriptionValidationEvent",
        time=now,
        data={"validationCode": code, "validationUrl": url},
    )


def _claims(change: Change, tenant_id: str) -> JsonObject:
    """The members of the caller's token that an event repeats."""
    issued = int(change.at.timestamp())
    object_id = change.principal.id
    issuer = f"https://sts.windows.net/{tenant_id}/"
    return {
        "aud": "https://management.core.windows.net/",
        "iss": issuer,
        "iat": str(issued),
        "nbf": str(issued),
        "exp": str(issued + 86400),
        "appid": change.principal.application_id or object_id,
        "appidacr": "2",
        f"{_CLAIM}identityprovider": issuer,
        f"{_CLAIM}objectidentifier": object_id,
        f"{_XML_CLAIM}nameidentifier": object_id,
        f"{_CLAIM}tenantid": tenant_id,
        "ver": "1.0",
    }


def timestamp(when: datetime) -> str:
    """Seven fractional digits and Z, as Resource Manager writes times into events."""
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond:06d}0Z"
