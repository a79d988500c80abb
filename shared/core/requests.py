"""
What a door asks of the engine, and the queue message that carries it.

A request names one registry and never what to do with it; the rest of it is for the record. Every door (event, HTTP,
sweep) makes the same value. A message is smaller still: registry, generation, attempt. What it cannot say cannot be
forged by whoever may write to the queue.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self

from shared.core.arm import ResourceId
from shared.core.errors import MalformedMessage, MalformedResourceId
from shared.core.registry import REGISTRY_TYPE
from shared.core.traces import traceparent

MESSAGE_BYTES = 4096
"""Most that a queue message may weigh; the longest ARM id leaves room to spare."""

# 2 to 32 characters, underscores allowed (documentation, managing registries).
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,31}", re.ASCII)
_VERSION = 1
_MEMBERS = {"version", "registry", "generation", "attempt"}
_OPTIONAL = {"trace"}  # messages of an older form have none
_MOST = 2**53 - 1  # the largest integer that every JSON reader keeps exactly


class RequestReason(StrEnum):
    """Which door asked."""

    EVENT = "event"
    RELATED = "related"
    HTTP = "http"
    SWEEP = "sweep"
    REPLAY = "replay"


class IgnoredWhy(StrEnum):
    """Why something that arrived asks for nothing."""

    EVENT_TYPE = "event-type"
    NOT_SUCCESSFUL = "not-successful"
    ACTION = "action"
    RESOURCE_TYPE = "resource-type"
    SUBSCRIPTION = "subscription"
    OWN_WRITE = "own-write"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRequest:
    """
    Look at this registry.

    Attributes:
        origin: Id of the event or the sweep, or "http".
        caller: Object id of whoever caused it, "" if unknown.
        deleted: A hint that the registry may be gone; only ARM's own answer counts.
        approved: Digest of the plan that the caller has seen and wants done, "" for whatever the policy asks.
        received: When the door got it.
    """

    registry: ResourceId
    reason: RequestReason
    origin: str
    received: datetime
    caller: str = ""
    deleted: bool = False
    approved: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedResource:
    """
    Something changed that may belong to a registry: its storage, its container registry or an endpoint.

    Attributes:
        id: The storage account, container registry or private endpoint.
        origin: Id of the event.
        caller: Object id of whoever caused it, "" if unknown.
        deleted: The resource itself was deleted.
        received: When the door got it.
    """

    id: ResourceId
    origin: str
    received: datetime
    caller: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Nothing to do, and why; *detail* is what was seen, for the log."""

    why: IgnoredWhy
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkMessage:
    """
    One pass over one registry, please.

    Attributes:
        generation: Of the ledger row when the message was sent; an older one than the row's is dropped.
        attempt: How many passes this generation has had before, for the record.
        trace: W3C trace context of the request, "" if unknown; it names the chain and decides nothing.
    """

    registry: ResourceId
    generation: int
    attempt: int = 0
    trace: str = field(default="", compare=False)

    def encode(self) -> str:
        """The message as JSON text of at most MESSAGE_BYTES."""
        members = {
            "version": _VERSION,
            "registry": self.registry.text,
            "generation": self.generation,
            "attempt": self.attempt,
        }
        if self.trace:
            members["trace"] = self.trace
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def decode(cls, text: str | bytes) -> Self:
        """Read a message; raises MalformedMessage with the reason."""
        members = _members(text)
        if members.get("version") != _VERSION:
            raise MalformedMessage(
                f"The queue message has version {_shown(members.get('version'))}; this app writes and reads {_VERSION}."
            )
        if members.keys() - _OPTIONAL != _MEMBERS:
            odd = ", ".join(sorted(_shown(name) for name in members.keys() - _OPTIONAL ^ _MEMBERS))
            raise MalformedMessage(f"The queue message misses, or has too many, members: {odd}.")
        try:
            registry = registry_id(members["registry"])
        except MalformedResourceId as error:
            raise MalformedMessage(f"The queue message names no registry: {error.sentence}") from error
        return cls(
            registry=registry,
            generation=_count(members, "generation", 1),
            attempt=_count(members, "attempt", 0),
            trace=traceparent(members.get("trace")),
        )


def registry_id(text: object) -> ResourceId:
    """Read the id of a registry, exactly that deep and with a name Azure allows; raises MalformedResourceId."""
    resource = ResourceId.parse(text)
    if not resource.is_type(REGISTRY_TYPE):
        raise MalformedResourceId(f"{_shown(resource.text)} is not a {REGISTRY_TYPE}, it is a {_shown(resource.type)}.")
    if not _NAME.fullmatch(resource.name):
        raise MalformedResourceId(
            f"{_shown(resource.name)} is not a registry name: 2 to 32 letters, digits, hyphens and underscores, "
            "the first a letter or digit."
        )
    return resource


def _members(text: str | bytes) -> dict[str, object]:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", errors="surrogatepass"))
    if size > MESSAGE_BYTES:
        raise MalformedMessage(f"The queue message has {size} bytes; no message of this app exceeds {MESSAGE_BYTES}.")
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"The queue message is not JSON: {_shown(text)}.") from error
    if not isinstance(members, dict):
        raise MalformedMessage(f"The queue message is not a JSON object: {_shown(text)}.")
    return members


def _count(members: dict[str, object], name: str, least: int) -> int:
    value = members[name]
    if type(value) is not int or not least <= value <= _MOST:
        raise MalformedMessage(f"The queue message's {name} is not a number from {least} on: {_shown(value)}.")
    return value


def _shown(value: object) -> str:
    """A short, printable form of untrusted input."""
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."  # noqa: PLR2004 -- readable in a log line
