"""
What goes over the wire of the HTTP API: models of bodies, of answers and of problems.

The OpenAPI document is made of them. Requests refuse members they do not know; names are in camel case, as in Azure's
own APIs.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from shared.core.report import ConditionStatus, ConditionType, Severity
from shared.core.sweeps import SweepPhase, SweepState

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
"""A person's words, for the report and the history."""


class Wire(BaseModel):
    """Anything on the wire."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Request(Wire):
    """A body that somebody sends; by wire name only, and nothing is guessed from another type."""

    model_config = ConfigDict(populate_by_name=False, strict=True)


# --- requests ---------------------------------------------------------------------------------------------------------


class Nothing(Request):
    """No member is needed."""


class Remediate(Request):
    """Look at the registry, and do what the policy asks."""

    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """`digest` of the plan that was seen: exactly that is done, or nothing."""


class Why(Request):
    """An act that has to be explained."""

    why: Words
    """For the report and the history."""


class Replay(Request):
    """Which failed registries to try again: some of them, or all."""

    registries: Annotated[list[Annotated[str, StringConstraints(max_length=2048)]], Field(max_length=100)] = []
    """Ids of registries; one that has not failed is left alone."""
    all: bool = False
    """All of them, up to a hundred at a time."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.all == bool(self.registries):
            raise ValueError("either `registries` or `all: true` is needed, not both")
        return self


# --- parts of answers -------------------------------------------------------------------------------------------------


class Link(Wire):
    """Where to go on, and how."""

    href: str
    method: Literal["GET", "POST"] = "GET"


class ReasonView(Wire):
    """Why something waits or stopped."""

    name: str
    sentence: str
    resource: str = ""


class ConditionView(Wire):
    """One of the questions that a registry's status answers."""

    type: ConditionType
    status: ConditionStatus
    message: str = ""


class FindingView(Wire):
    """Something that no write of the app can put right."""

    code: str
    severity: Severity
    sentence: str
    resource: str | None = None
    link: str
    """Where the documentation explains it."""


class HistoryView(Wire):
    """One line of the history."""

    at: datetime
    kind: str
    subject: str
    sentence: str
    origin: str
    caller: str
    digest: str
    result: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    attempts: int
    duration_seconds: float | None
    generation: int
    correlation: str


class Asked(Wire):
    """Who asked last, by which door."""

    reason: str
    origin: str
    caller: str
    at: datetime


class PauseView(Wire):
    """Enforcement rests."""

    by: str
    at: datetime
    why: str


class ChangeView(Wire):
    """One write."""

    key: str
    kind: str
    resource: str
    sentence: str
    before: Mapping[str, Any]
    """What the change concerns, as it is now."""
    after: Mapping[str, Any]
    """The same as the change leaves it."""


class StageView(Wire):
    """Changes that can begin together."""

    awaits: list[ReasonView]
    """What has to come first, besides the stages before."""
    changes: list[ChangeView]


# --- answers ----------------------------------------------------------------------------------------------------------


class RegistryItem(Wire):
    """One registry of a list."""

    id: str
    name: str
    phase: str
    generation: int
    requested: datetime
    at: datetime | None
    due: datetime | None
    verified: datetime | None
    sentence: str
    links: dict[str, Link]


class RegistryList(Wire):
    """A page of registries."""

    registries: list[RegistryItem]
    after: str
    """For the next page; empty after the last one."""


class RegistryReport(Wire):
    """The last word on one registry."""

    id: str
    name: str
    phase: str
    answered: bool
    """`phase` is the answer to the last request; false until the first pass for it has ended."""
    generation: int
    asked: Asked
    at: datetime | None
    """When the last pass ended."""
    due: datetime | None
    """When the next look is planned; null unless something is waited for."""
    verified: datetime | None
    first_seen: datetime
    reasons: list[ReasonView]
    conditions: list[ConditionView]
    findings: list[FindingView]
    changes: list[str]
    """What the last plan still asked for."""
    done: list[HistoryView]
    """Changes made or tried since the last request, newest first."""
    plan_digest: str
    """Of what the last pass saw to do, as the history names it; only the digest of GET …/plan can be approved."""
    paused: PauseView | None
    fqdns: dict[str, str]
    links: dict[str, Link]


class History(Wire):
    """A page of history, newest first."""

    entries: list[HistoryView]
    after: str
    """For the next, older page; empty after the last one."""


class Plan(Wire):
    """A fresh dry run: everything that would be done until nothing is left, and nothing of it was."""

    id: str
    name: str
    at: datetime
    mode: str
    """`enforce` or `audit`; in audit mode nothing of it will be done."""
    digest: str
    """Name of exactly these changes, to be approved with POST …/remediate; empty when there are none."""
    exempt: str
    """Why the policy asks nothing of this registry; empty if it does."""
    stages: list[StageView]
    waits: list[ReasonView]
    """What is waited for now."""
    blocks: list[ReasonView]
    """What a person must do first."""
    conditions: list[ConditionView]
    findings: list[FindingView]
    links: dict[str, Link]


class Accepted(Wire):
    """The request is recorded; the report tells what becomes of it."""

    id: str
    generation: int
    links: dict[str, Link]


class Sweep(Wire):
    """One look at every registry."""

    id: str
    state: SweepState
    phase: SweepPhase
    """First everything that the inventory shows, then everything that the ledger knows."""
    reason: str
    origin: str
    caller: str
    begun: datetime
    touched: datetime
    """When its last step ended."""
    due: datetime
    finished: datetime | None
    steps: int
    """Steps that have ended."""
    revived: int
    """How often it was found silent and taken up again."""
    registries: int
    """Registries in the inventory so far."""
    verdicts: Mapping[str, int]
    """How many of each verdict, by what the inventory showed."""
    rows: int
    """Rows in the ledger so far."""
    reviews: Mapping[str, int]
    """How many of each verdict, by what the ledger said."""
    phases: Mapping[str, int]
    """How many registries of each phase the ledger holds."""
    enqueued: int
    """Registries that a pass was asked for."""
    deferred: int
    """Registries that the next sweep asks for, because of `limits.registries_per_sweep`."""
    queries: int
    notes: list[str]
    """What a person should know of it: partial answers, quotas, doubts."""
    sentence: str
    """Why it failed; empty unless it did."""
    links: dict[str, Link]


class SweepList(Wire):
    """A page of sweeps, newest first."""

    sweeps: list[Sweep]
    after: str
    """For the next, older page; empty after the last one."""


class PoisonItem(Wire):
    """Something that failed for good."""

    registry: str | None
    """Null for input that names none."""
    at: datetime
    sentence: str
    error: str
    """Name of the last error; empty if nobody could note it."""
    fate: str
    attempts: int
    message: str
    """The queue message, or the input, as far as it was kept."""
    links: dict[str, Link]


class Poison(Wire):
    """A page of what failed."""

    entries: list[PoisonItem]
    after: str
    """For the next page; empty after the last one."""


class Replayed(Wire):
    """What is tried again."""

    replayed: list[Accepted]
    left_alone: list[str]
    """Ids of registries that have not failed."""
    more: bool
    """There may be more that failed: ask again."""


class Ping(Wire):
    """The process answers."""

    status: Literal["ok"] = "ok"


class OpenApi(BaseModel):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: str


class Flaw(Wire):
    """One thing that is wrong with a request."""

    pointer: str | None = None
    """Into the body."""
    parameter: str | None = None
    """In the path, the query or the headers."""
    detail: str


class Problem(Wire):
    """Why the request was not served (RFC 9457)."""

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str
    error: str
    """Name of the error."""
    fate: str
    """What to make of it: `retry-now`, `retry-later`, `observe-again`, `blocked` (a person must act) or `permanent`."""
    code: str = ""
    """Azure's own error code, where Azure said it."""
    errors: list[Flaw] = []
    plan: Plan | None = None
    """The new plan, where another one was approved."""
