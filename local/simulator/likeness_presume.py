"""
What a recorded answer says about the world before the request.

An accepted PATCH presumes a resource, a 201 its absence, a 429 something under way. Only status, error codes and the
ids in error messages are read; nothing of it is handed to the simulated Azure.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local.simulator.likeness_exchanges import Exchange
from local.simulator.likeness_targets import Target

_ID = re.compile(r"/subscriptions/[^\s'\"]+?/providers/[^\s'\",]+", re.IGNORECASE)
_NESTED = re.compile(r"nested resource IDs include: '([^']+)'", re.IGNORECASE)
_MISSING = re.compile(r"The Resource '([^']+)' under resource group", re.IGNORECASE)
_LOCKED = re.compile(r"/subscriptions/[^\s',]+", re.IGNORECASE)
_BUSY = frozenset(
    {"RetryableErrorDueToAnotherOperation", "ReferencedResourceNotProvisioned", "AnotherOperationInProgress"}
)
_REFERENCE_MISSING = frozenset({"InvalidResourceReference", "NotFound", "InvalidPrivateLinkServiceId"})
_REGISTRY = "microsoft.containerregistry/registries"
_JUST_NOW = timedelta(seconds=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presumption:
    """`exists` is `None` where either would do. `busy` is the id of a resource with an operation under way."""

    exists: bool | None = None
    group_missing: bool = False
    parent_missing: bool = False
    reference_missing: bool = False
    replicated: bool = False
    """A registry whose deletion takes a while has replications."""
    anonymous: bool = False
    """The caller showed no token."""
    not_seen_yet: bool = False
    """The resource was made, and the replica that answered did not know it yet."""
    busy: str = ""
    locked: tuple[str, ...] = ()
    """Ids of what a lock holds."""
    nested: tuple[str, ...] = ()
    """Type and names of resources below this one, as "Microsoft.X/things/a/parts/b"."""


def presumption_of(exchange: Exchange, target: Target, *, fails_later: bool = False) -> Presumption:
    """Read it off the recorded method, status and error; *fails_later* when its long operation is seen to fail."""
    codes, message = _error(exchange.body)
    busy = _busy(exchange, codes, message)
    nested = _NESTED.search(message)
    return Presumption(
        exists=_exists(exchange, target, fails_later=fails_later),
        group_missing="ResourceGroupNotFound" in codes,
        parent_missing="ParentResourceNotFound" in codes or _names_parent(exchange, message),
        reference_missing=bool(codes & _REFERENCE_MISSING),
        replicated=target.type == _REGISTRY and exchange.method == "DELETE" and exchange.status == 202,
        anonymous=exchange.status == 401 and "AuthenticationFailed" in codes,
        not_seen_yet="RegistryNotFound" in codes,
        busy=busy,
        locked=tuple(_LOCKED.findall(message.partition("are locked:")[2])) if "ScopeLocked" in codes else (),
        nested=(nested.group(1),) if nested else (),
    )


def _exists(exchange: Exchange, target: Target, *, fails_later: bool) -> bool | None:
    status, method = exchange.status, exchange.method
    if method == "PUT" and status < 300 and exchange.request_headers.get("if-none-match") == "*":
        return fails_later
    if status == 404:
        return False if method != "PUT" else None
    if method == "PUT" and target.type.endswith("/privateendpointconnections"):
        return True  # only the service makes connections; a caller decides on them
    if method in ("GET", "HEAD", "PATCH"):
        return True if status < 300 or status in (409, 412) else None
    if method == "DELETE":
        return status != 204 if status < 300 or status in (409, 412) else None
    if method == "PUT" and status < 300:
        return _put_over(exchange, target)
    if method == "PUT" and status == 412:
        return True
    return None


def _names_parent(exchange: Exchange, message: str) -> bool:
    """Whether a 404 says that something above the addressed resource is missing."""
    named = _MISSING.search(message)
    return exchange.status == 404 and named is not None and not _ends_with(exchange.plain_path, named.group(1))


def _ends_with(path: str, names: str) -> bool:
    return path.lower().endswith("/" + names.lower())


def _put_over(exchange: Exchange, target: Target) -> bool | None:
    """Whether an accepted PUT met an existing resource; `None` where the answer does not tell."""
    created = _created(exchange)
    if target.type == _REGISTRY:
        if exchange.status == 201:
            return _state(exchange.body) == "updating"
        return None if created is None else not created
    if target.type.startswith("microsoft.machinelearningservices/") or "privatedns" in target.type:
        return {200: True, 201: False}.get(exchange.status)
    return exchange.status == 200


def _created(exchange: Exchange) -> bool | None:
    """Whether the body shows a resource that was made just now."""
    if not isinstance(exchange.body, dict):
        return None
    system = exchange.body.get("systemData")
    if isinstance(system, dict) and system.get("createdAt"):
        return bool(system.get("createdAt") == system.get("lastModifiedAt"))
    properties = exchange.body.get("properties")
    text = properties.get("creationDate") if isinstance(properties, dict) else None
    made = _moment(text)
    return None if made is None or exchange.at is None else abs(exchange.at - made) < _JUST_NOW


def _moment(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _state(body: Any) -> str:
    properties = body.get("properties") if isinstance(body, dict) else None
    return str(properties.get("provisioningState", "")).lower() if isinstance(properties, dict) else ""


def _error(body: Any) -> tuple[frozenset[str], str]:
    """Every code of an error body, nested ones included, and all its messages as one text."""
    codes: set[str] = set()
    messages: list[str] = []
    _collect(body, codes, messages)
    return frozenset(codes), " ".join(messages)


def _collect(value: Any, codes: set[str], messages: list[str]) -> None:
    if isinstance(value, list):
        for each in value:
            _collect(each, codes, messages)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.lower() == "code":
                codes.add(inner)
            elif isinstance(inner, str) and key.lower() == "message":
                messages.append(inner)
            else:
                _collect(inner, codes, messages)


def _busy(exchange: Exchange, codes: frozenset[str], message: str) -> str:
    """The resource whose operation is in the way, as the message names it."""
    if exchange.status not in (409, 429) or not codes & _BUSY:
        return ""
    mentioned: list[str] = [found.rstrip(".") for found in _ID.findall(message)]
    named = [each for each in mentioned if "/locations/" not in each]
    if named:
        return named[0]
    parent = exchange.plain_path.rsplit("/", 2)[0]
    return parent if parent.count("/") > 6 else exchange.plain_path
