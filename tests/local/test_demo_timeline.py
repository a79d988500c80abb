"""The timeline is put together from what Azure, the app and the demo know, each at its moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.demo_timeline import Requests, Step, asked_at, requests_of, timeline
from shared.core.arm import ResourceId
from shared.engine.records import HistoryEntry, HistoryKind

REGISTRY = (
    "/subscriptions/00000000-0000-4000-8000-000000000002/resourceGroups/rg-ml/providers/"
    "Microsoft.MachineLearningServices/registries/contoso-models"
)
ASKED = datetime(2026, 1, 5, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return ASKED + timedelta(seconds=seconds)


def call(method: str, url: str, *, status: int = 202, principal: str = "user", kind: str = "write") -> dict[str, Any]:
    endpoint = f"https://127.0.0.1:1{url}?api-version=1"
    return {
        "at": ASKED.isoformat(),
        "method": method,
        "url": endpoint,
        "status": status,
        "principal": principal,
        "kind": kind,
    }


def entry(
    kind: HistoryKind, at: datetime, sentence: str, result: str = "", seconds: float | None = None
) -> HistoryEntry:
    return HistoryEntry(
        at=at,
        registry=ResourceId.parse(REGISTRY),
        kind=kind,
        subject="",
        sentence=sentence,
        result=result,
        duration_seconds=seconds,
    )


def told(
    *history: HistoryEntry, events: tuple[Any, ...] = (), seen: tuple[Step, ...] = ()
) -> list[tuple[str, float | None]]:
    steps = timeline(asked=ASKED, events=events, registry_id=REGISTRY, history=history, seen=seen)
    return [(step.what, step.seconds) for step in steps]


def test_it_begins_when_azure_took_the_users_request() -> None:
    calls = [call("PUT", "/other"), call("PUT", REGISTRY, status=400), call("GET", REGISTRY), call("PUT", REGISTRY)]
    calls[-1]["at"] = after(3).isoformat()
    assert asked_at(calls, REGISTRY) == after(3)


def test_a_change_stands_where_it_began_with_what_it_took() -> None:
    history = (
        entry("change", after(30), "create endpoint", "succeeded", 20.0),
        entry("change", after(10), "create endpoint", "started"),
    )
    assert told(*history, seen=(Step(at=after(20), what="in between"),)) == [
        ("the user asks for the registry", None),
        ("create endpoint", 20.0),
        ("in between", None),
    ]


def test_requests_and_last_words_are_told_and_waiting_is_not() -> None:
    history = (
        entry("request", after(1), "asked for by event"),
        entry("outcome", after(2), "something runs", "waiting"),
        entry("outcome", after(3), "converged", "converged"),
    )
    assert [what for what, _ in told(*history)][1:] == [
        "the app takes the job, asked for by event",
        "the app says: converged",
    ]


def test_a_refusal_and_a_poisoned_message_are_told_with_their_names() -> None:
    history = (
        entry("change", after(1), "close: the policy forbids it", "Refused"),
        entry("poison", after(2), "failed five times", "failed"),
    )
    assert [what for what, _ in told(*history)][1:] == [
        "close: the policy forbids it (Refused)",
        "failed five times (failed)",
    ]


def test_only_the_first_event_about_the_registry_itself_is_told() -> None:
    events = tuple(
        {"at": after(seconds).isoformat(), "subject": subject}
        for seconds, subject in ((4, f"{REGISTRY}-2"), (5, REGISTRY.upper()), (6, REGISTRY))
    )
    assert [what for what, _ in told(events=events)][1:] == [
        "Event Grid delivers the registry's event, 5.0 s after the request"
    ]


def test_only_the_apps_own_requests_are_counted() -> None:
    kinds = ("read", "read", "write", "poll")
    calls = [call("GET", REGISTRY, principal="app", kind=kind) for kind in kinds] + [call("GET", REGISTRY, kind="read")]
    counted = requests_of(calls, "app")
    assert counted == Requests(reads=2, writes=1, polls=1)
    assert counted.total == 4


def test_requests_to_other_services_than_resource_manager_are_not_counted() -> None:
    elsewhere = [
        call("POST", "/topics/registry-outcomes/api/events", principal="app"),
        call("GET", "/registrymanagement/v1.0/registries/contoso-models/discovery", principal="app", kind="read"),
    ]
    graph = call("POST", "/providers/Microsoft.ResourceGraph/resources", principal="app", kind="read")
    assert requests_of([*elsewhere, graph], "app") == Requests(reads=1, writes=0, polls=0)
