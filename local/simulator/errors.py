"""
Errors as the service tells them, in the body shapes that were recorded.

A rule raises `ArmError` anywhere; the kernel renders it. Clients classify by status and code, and the wrapping differs
between providers, so the shape belongs to the error. The functions below build the errors that several providers share,
with the service's own words.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

from local.simulator.wire import JsonObject, Response

_NOT_FOUND_HINT = "For more details please go to https://aka.ms/ARMResourceNotFoundFix"


class Shape(StrEnum):
    """Which wrapping the body has."""

    ARM = "arm"
    """{"error": {code, message}} and `details` only when there are some."""
    GATEWAY = "gateway"
    """The same, told by Resource Manager itself: with the header x-ms-failure-cause: gateway."""
    NETWORK = "network"
    """{"error": {code, message, details}} with `details` always present (Microsoft.Network)."""
    BARE = "bare"
    """{"code", "message"} without a wrapper (record sets of Private DNS)."""
    CAPITAL = "capital"
    """{"Error": {"Code", "Message"}} (deletion of a resource group)."""
    MACHINE_LEARNING = "machine-learning"
    """{"error": {"code": "UserError", ..., "innerError"}, "correlation", ...} (Microsoft.MachineLearningServices)."""
    HTML = "html"
    """A page of the front end, as 5xx answers may be."""
    EMPTY = "empty"
    """No body at all, as 5xx answers may be."""


class ArmError(Exception):
    """
    One refusal, as the client will see it.

    Args:
        status: HTTP status.
        code: The service's code, for example "ResourceNotFound".
        message: The service's sentence.
        details: Nested errors, each {"code", "message", ...}.
        headers: Further headers, for example Retry-After.
        shape: The body's wrapping.
        extra: Further top-level members of the error object (merged last).
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Sequence[JsonObject] = (),
        headers: Mapping[str, str] | None = None,
        shape: Shape = Shape.ARM,
        extra: JsonObject | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})
        self.shape = shape
        self.extra = dict(extra or {})

    def error_object(self) -> JsonObject:
        """{code, message, details?}: what a failed long operation carries under `error`."""
        body: JsonObject = {"code": self.code, "message": self.message}
        if self.details or self.shape is Shape.NETWORK:
            body["details"] = list(self.details)
        return body | self.extra

    def render(self) -> Response:
        """The answer in the error's shape."""
        match self.shape:
            case Shape.EMPTY:
                return Response.empty(self.status, self.headers)
            case Shape.HTML:
                page = f"<html><head><title>{self.status} {self.code}</title></head><body>{self.message}</body></html>"
                return Response(self.status, {"Content-Type": "text/html", **self.headers}, page.encode())
            case Shape.BARE:
                return Response.of(self.status, self.error_object(), self.headers)
            case Shape.CAPITAL:
                return Response.of(self.status, {"Error": {"Code": self.code, "Message": self.message}}, self.headers)
            case Shape.MACHINE_LEARNING:
                return Response.of(self.status, self._machine_learning(), self.headers)
            case Shape.GATEWAY:
                headers = {"x-ms-failure-cause": "gateway", **self.headers}
                return Response.of(self.status, {"error": self.error_object()}, headers)
            case _:
                return Response.of(self.status, {"error": self.error_object()}, self.headers)

    def _machine_learning(self) -> JsonObject:
        """The long form of Microsoft.MachineLearningServices (recorded: aso2512); `code` is the innermost one."""
        error: JsonObject = {
            "code": "UserError",
            "severity": None,
            "message": self.message,
            "messageFormat": None,
            "messageParameters": None,
            "referenceCode": None,
            "detailsUri": None,
            "target": None,
            "details": list(self.details),
            "innerError": {"code": "NotFound", "innerError": {"code": self.code, "innerError": None}}
            if self.status == 404
            else {"code": self.code, "innerError": None},
            "debugInfo": None,
            "additionalInfo": None,
        }
        region = self.extra.get("location", "westus2")
        return {
            "error": error | {key: value for key, value in self.extra.items() if key in error},
            "correlation": {"operation": "0" * 32, "request": "0" * 16},
            "environment": region,
            "location": region,
            "time": self.extra.get("time", "2026-01-01T00:00:00.0000000+00:00"),
            "componentName": "feedmanagement",
            "statusCode": self.status,
        }


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """404 of Resource Manager itself. `kind` is the full type, `name` the names joined by slashes."""
    head, _, tail = kind.partition("/")
    pairs = "/".join(f"{one}/{two}" for one, two in zip(tail.split("/"), name.split("/"), strict=False))
    message = f"The Resource '{head}/{pairs}' under resource group '{group}' was not found. {_NOT_FOUND_HINT}"
    return ArmError(404, "ResourceNotFound", message, shape=Shape.GATEWAY)


def resource_group_not_found(group: str) -> ArmError:
    message = f"Resource group '{group}' could not be found."
    return ArmError(404, "ResourceGroupNotFound", message, shape=Shape.GATEWAY)


def parent_not_found(verb: str, kind: str, parent_id: str) -> ArmError:
    """404 for a nested resource; *verb* is read, write or delete, *kind* the full type (recorded: azcli2411)."""
    message = (
        f"Failed to perform '{verb}' on resource(s) of type '{kind.partition('/')[2]}', because the parent resource "
        f"'{parent_id}' could not be found."
    )
    return ArmError(404, "ParentResourceNotFound", message, shape=Shape.GATEWAY)


def subscription_not_found(subscription: str) -> ArmError:
    message = f"The subscription '{subscription}' could not be found."
    return ArmError(404, "SubscriptionNotFound", message, shape=Shape.GATEWAY)


def invalid_request_content(message: str) -> ArmError:
    return ArmError(400, "InvalidRequestContent", message, shape=Shape.GATEWAY)


def linked_authorization_failed(
    principal: str, action: str, scope: str, missing: str, linked: str, *, denied: bool = False
) -> ArmError:
    """403 when a right is missing on a resource that the request merely names (recorded: net2003), or denied (reported)."""
    ungranted = "on the '0' linked scope(s) ''" if denied else f"on the linked scope(s) '{linked}'"
    blocked = f" and is blocked by deny assignments on the '1' linked scope(s) '{linked}'" if denied else ""
    message = (
        f"The client '{principal}' with object id '{principal}' has permission to perform action '{action}' on scope "
        f"'{scope}'; however, it does not have permission to perform action '{missing}' {ungranted} or the linked "
        f"scope(s) are invalid{blocked}."
    )
    return ArmError(403, "LinkedAuthorizationFailed", message, shape=Shape.GATEWAY)


def unknown_call(method: str, path: str) -> ArmError:
    """501: the simulated Azure has no rule for this call and says so instead of guessing."""
    return ArmError(501, "NotSimulated", f"The simulated Azure has no rule for {method} {path}.")


def decode_body(content: bytes) -> JsonObject | None:
    """The request body as an object, `None` when empty; the service's 400 when it is anything else."""
    if not content:
        return None
    try:
        value = json.loads(content)
    except ValueError as problem:
        raise invalid_request_content(
            f"The request content was invalid and could not be deserialized: '{problem}'."
        ) from problem
    if not isinstance(value, dict):
        raise invalid_request_content("The request content was invalid and could not be deserialized: not an object.")
    return value
