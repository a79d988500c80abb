"""What Azure says where a fault is an answer: wordings as recorded or documented, by kind."""

import json
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from local.campaign.kinds import Kind
from local.house import APP

_SKEW = timedelta(hours=3)
_WAIT = timedelta(seconds=40)
_PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
_TIMEOUT_PAGE = b"<html><head><title>504 Gateway Time-out</title></head><body>504 Gateway Time-out</body></html>"
_BUSY_NETWORK = "Cannot proceed with operation because resource is busy processing another operation."


def answer(kind: Kind, method: str, path: str, now: datetime) -> dict[str, Any]:
    """Members of the scripted fault that answers a call like this; {} where the fault is no answer."""
    if kind in _THROTTLES:
        return _throttled(kind, now)
    if kind in _REFUSALS:
        return _refused(kind, method, path)
    return _ANSWERS.get(kind, {})


def forbidden(path: str) -> tuple[str, str]:
    """Code and sentence for a principal whose role assignment has not spread yet."""
    action = "Microsoft.Resources/subscriptions/resourceGroups/read"
    return "AuthorizationFailed", (
        f"The client '{APP}' with object id '{APP}' does not have authorization to perform action '{action}' over "
        f"scope '{path}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    )


_THROTTLES = frozenset(
    {
        Kind.THROTTLED,
        Kind.THROTTLED_LONG,
        Kind.THROTTLED_HOURS,
        Kind.THROTTLED_BARE,
        Kind.THROTTLED_TEXT,
        Kind.THROTTLED_AHEAD,
        Kind.THROTTLED_BEHIND,
    }
)


def _throttled(kind: Kind, now: datetime) -> dict[str, Any]:
    told = {"status": 429, "code": "TooManyRequests", "message": "The request is being throttled."}
    match kind:
        case Kind.THROTTLED:
            return told | {"headers": {"Retry-After": "17"}}
        case Kind.THROTTLED_LONG:
            return told | {"headers": {"Retry-After": "600"}}
        case Kind.THROTTLED_HOURS:
            return told | {"headers": {"Retry-After": "14400"}}
        case Kind.THROTTLED_AHEAD:
            return told | {"headers": _dates(now + _SKEW)}
        case Kind.THROTTLED_BEHIND:
            return told | {"headers": _dates(now - _SKEW)}
        case Kind.THROTTLED_TEXT:
            message = "Number of requests exceeded the limit. Please try again after '35' seconds."
            return {"status": 429, "code": "SubscriptionRequestsThrottled", "message": message}
        case _:
            return told


def _dates(clock: datetime) -> dict[str, str]:
    """Headers of a provider whose own clock shows *clock*."""
    return {"Retry-After": format_datetime(clock + _WAIT, usegmt=True), "Date": format_datetime(clock, usegmt=True)}


_REFUSALS = frozenset({Kind.BUSY, Kind.REFUSED, Kind.LOCKED, Kind.DENIED})


def _refused(kind: Kind, method: str, path: str) -> dict[str, Any]:
    match kind:
        case Kind.BUSY:
            storage = "/storageaccounts/" in path.lower()
            code = "StorageAccountOperationInProgress" if storage else "AnotherOperationInProgress"
            return {"status": 409, "code": code, "message": "Another operation on this resource is in progress."}
        case Kind.REFUSED:
            message = f"Resource '{path.rsplit('/', 1)[-1]}' was disallowed by policy."
            return {"status": 403, "code": "RequestDisallowedByPolicy", "message": message}
        case Kind.LOCKED:
            verb = "delete" if method == "DELETE" else "write"
            message = (
                f"The scope '{path}' cannot perform {verb} operation because following scope(s) are locked: "
                f"'{path}'. Please remove the lock and try again."
            )
            return {"status": 409, "code": "ScopeLocked", "message": message}
        case _:
            message = (
                f"The client '{APP}' with object id '{APP}' has permission to perform action "
                f"'Microsoft.Resources/write' on scope '{path}'; however, the access is denied because of the deny "
                "assignment with name 'System deny assignment' and Id '0123456789abcdef0123456789abcdef' at scope "
                f"'{path}'."
            )
            return {"status": 403, "code": "DenyAssignmentAuthorizationFailed", "message": message}


_ANSWERS: dict[Kind, dict[str, Any]] = {
    Kind.ERROR: {"status": 500, "code": "InternalServerError", "message": "An error occurred."},
    Kind.GATEWAY: {"status": 502, "raw": _PAGE, "headers": {"Content-Type": "text/html"}},
    Kind.TIMEOUT: {"status": 504, "raw": _TIMEOUT_PAGE, "headers": {"Content-Type": "text/html"}},
    Kind.REQUEST_TIMEOUT: {"status": 408, "raw": b"", "headers": {"Content-Length": "0"}},
    Kind.REDIRECTED: {"status": 307, "raw": b"", "headers": {"Location": "https://portal.example.com/sign-in"}},
    Kind.NONSENSE: {"status": 200, "raw": _PAGE, "headers": {"Content-Type": "text/html"}},
    Kind.FULL: {
        "status": 400,
        "code": "SubnetIsFull",
        "message": "Subnet endpoints with address prefix 10.0.1.0/24 does not have enough capacity for 1 IP addresses.",
    },
    Kind.EXPIRED: {
        "status": 401,
        "code": "ExpiredAuthenticationToken",
        "message": "The access token expiry time is earlier than current time.",
        "headers": {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="The token has expired."'},
    },
    Kind.BUSY_LOCK: {
        "status": 429,
        "code": "RetryableErrorDueToAnotherOperation",
        "message": _BUSY_NETWORK,
        "headers": {"Retry-After": "11"},
    },
    Kind.BUSY_REFERENCED: {
        "status": 429,
        "code": "RetryableError",
        "message": "A retryable error occurred.",
        "details": [
            {
                "code": "ReferencedResourceNotProvisioned",
                "message": "Cannot proceed with operation because a resource it uses is not in Succeeded state. "
                "Resource is in Updating state and the last operation that updated it is PutSubnetOperation.",
            }
        ],
    },
    Kind.BUSY_SUPERSEDED: {
        "status": 409,
        "code": "CanceledAndSupersededDueToAnotherOperation",
        "message": "Operation was canceled and superseded by another operation.",
    },
    Kind.CONFLICT: {"status": 409, "code": "Conflict", "message": "The request conflicts with another one."},
    Kind.PRECONDITION: {
        "status": 412,
        "code": "PreconditionFailed",
        "message": "The condition specified using HTTP conditional header(s) is not met.",
    },
    Kind.MISSING: {"status": 404, "code": "ResourceNotFound", "message": "The resource was not found."},
}


def without(body: bytes, left_out: frozenset[str]) -> bytes:
    """A list's body without the entries of these ids, lower-cased."""
    listed = json.loads(body)
    listed["value"] = [each for each in listed["value"] if str(each.get("id", "")).lower() not in left_out]
    return json.dumps(listed).encode()


def garbled(kind: Kind, body: bytes) -> bytes:
    """What arrives of a body."""
    return b"" if kind is Kind.EMPTY else body[: len(body) // 2]
