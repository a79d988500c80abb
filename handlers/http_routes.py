"""
The HTTP API as a table: one line is one function of the app, one operation of its OpenAPI document, one action.

Whatever registers, documents or serves reads this table, so none of them can say something else than the others. It
names models instead of importing them: registering costs a cold start nothing.
"""

from dataclasses import dataclass

PREFIX = "/api"
"""The Functions host's default route prefix; host.json does not change it."""

REGISTRY = "registries/{subscription}/{group}/{name}"
PROBLEM = "Problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """
    One operation.

    Attributes:
        name: Of the function; the OpenAPI document calls it `operationId`.
        path: Template below PREFIX.
        query: Parameters it takes, described in `handlers.http_query`.
        body: Model of its body in `handlers.http_schemas`; "" for none.
        body_needed: An absent body is refused.
        answers: Status to model of the body; "" for none.
        refuses: Statuses of problems it may answer, besides those that every operation may.
        anonymous: No key is needed.
        media: Other forms than JSON in which the answer with status 200 may come.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: tuple[tuple[int, str], ...]
    refuses: tuple[int, ...] = ()
    query: tuple[str, ...] = ()
    body: str = ""
    body_needed: bool = False
    anonymous: bool = False
    media: tuple[str, ...] = ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names in the path, in its order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def of_registry(self) -> bool:
        """The path names a registry."""
        return self.path.startswith(REGISTRY)


ROUTES = (
    Route(
        name="list_registries",
        method="GET",
        path="registries",
        summary="List the registries that the app knows",
        query=("phase", "limit", "after"),
        answers=((200, "RegistryList"),),
    ),
    Route(
        name="show_registry",
        method="GET",
        path=REGISTRY,
        summary="The last word on one registry: phase, conditions, findings, changes",
        answers=((200, "RegistryReport"), (304, "")),
        refuses=(403, 404),
    ),
    Route(
        name="show_history",
        method="GET",
        path=f"{REGISTRY}/history",
        summary="What happened to one registry, newest first",
        query=("limit", "after"),
        answers=((200, "History"),),
        refuses=(403, 404),
    ),
    Route(
        name="show_plan",
        method="GET",
        path=f"{REGISTRY}/plan",
        summary="A fresh dry run: everything that would be done, stage by stage, with the digest that names it",
        answers=((200, "Plan"),),
        refuses=(403, 404, 409, 502, 504),
    ),
    Route(
        name="remediate_registry",
        method="POST",
        path=f"{REGISTRY}/remediate",
        summary="Look at one registry now and do what the policy asks, or exactly what was seen",
        query=("wait",),
        body="Remediate",
        answers=((200, "RegistryReport"), (202, "Accepted")),
        refuses=(403, 404, 409, 502, 504),
    ),
    Route(
        name="undo_registry",
        method="POST",
        path=f"{REGISTRY}/undo",
        summary="Restore what was before the app closed it, and pause its enforcement",
        query=("wait",),
        body="Why",
        body_needed=True,
        answers=((200, "RegistryReport"), (202, "Accepted")),
        refuses=(403, 404, 409),
    ),
    Route(
        name="pause_registry",
        method="POST",
        path=f"{REGISTRY}/pause",
        summary="Leave one registry as it is until it is resumed",
        query=("wait",),
        body="Why",
        body_needed=True,
        answers=((200, "RegistryReport"), (202, "Accepted")),
        refuses=(403, 404, 409),
    ),
    Route(
        name="resume_registry",
        method="POST",
        path=f"{REGISTRY}/resume",
        summary="Enforce the policy on one registry again",
        query=("wait",),
        body="Nothing",
        answers=((200, "RegistryReport"), (202, "Accepted")),
        refuses=(403, 404, 409),
    ),
    Route(
        name="begin_sweep",
        method="POST",
        path="sweeps",
        summary="Look at every registry now; gives the sweep that is running, if one is",
        body="Nothing",
        answers=((202, "Sweep"),),
        refuses=(409,),
    ),
    Route(
        name="list_sweeps",
        method="GET",
        path="sweeps",
        summary="Sweeps, newest first",
        query=("limit", "after"),
        answers=((200, "SweepList"),),
    ),
    Route(
        name="show_sweep",
        method="GET",
        path="sweeps/{sweep}",
        summary="How far a sweep is, and what it found",
        answers=((200, "Sweep"),),
        refuses=(404,),
    ),
    Route(
        name="list_poison",
        method="GET",
        path="poison",
        summary="What failed for good: registries with their last error, then input that nobody could read",
        query=("limit", "after"),
        answers=((200, "Poison"),),
    ),
    Route(
        name="replay_poison",
        method="POST",
        path="poison/replay",
        summary="Try failed registries again, afresh",
        body="Replay",
        body_needed=True,
        answers=((202, "Replayed"),),
        refuses=(403, 409),
    ),
    Route(
        name="show_report",
        method="GET",
        path="report",
        summary="Where all registries stand: phases, doors, findings, exemptions, for people and for pipelines",
        query=("format", "phase", "subscription", "severity", "after"),
        answers=((200, "PostureReport"), (304, "")),
        media=("text/csv", "application/sarif+json", "text/html"),
    ),
    Route(
        name="show_health",
        method="GET",
        path="health",
        summary="Whether the app can work: its settings, its policy, its state; deep, all that it needs of Azure",
        query=("deep",),
        answers=((200, "Health"), (503, "Health")),
    ),
    Route(
        name="ping",
        method="GET",
        path="ping",
        summary="Whether the process answers at all; for probes without a key",
        answers=((200, "Ping"),),
        anonymous=True,
    ),
    Route(
        name="show_openapi",
        method="GET",
        path="openapi.json",
        summary="This document",
        answers=((200, "OpenApi"),),
    ),
)
