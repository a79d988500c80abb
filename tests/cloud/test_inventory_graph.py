"""Resource Graph as a client sees it: quota, pages, answers that are too large, answers that are not whole."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.cloud.inventory_graph import LEAST_KEYS, ResourceGraph, Tally
from shared.core.errors import ChangedUnderneath, Refused, RegistryIsolationError, Throttled, Unavailable
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client

SUBSCRIPTION = "11111111-2222-4333-8444-555555555555"


class HandClock:
    """Stands still, except while somebody sleeps."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 5, tzinfo=UTC)
        self.slept: list[timedelta] = []

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, duration: timedelta) -> None:
        if duration > timedelta():
            self.slept.append(duration)
            self.moment += duration


class Graph:
    """One client over scripted answers."""

    def __init__(self, answer: Callable[[Sent], Reply]) -> None:
        self.transport = AnsweringTransport(answer)
        self.clock = HandClock()
        self.graph = ResourceGraph(arm_client(self.transport), self.clock)
        self.tally = Tally()

    async def about(self, count: int) -> list[Any]:
        rows = await self.graph.about(self.tally, "things", " ".join, map(str, range(count)), [SUBSCRIPTION])
        return [row["key"] for row in rows]

    def sizes(self) -> list[int]:
        """How many keys each query was about."""
        return [len(sent.body["query"].split()) for sent in self.transport.sent]


def rows(*listed: Any, total: int | None = None, token: str = "", truncated: str = "false") -> dict[str, Any]:
    body: dict[str, Any] = {
        "totalRecords": len(listed) if total is None else total,
        "count": len(listed),
        "data": list(listed),
        "facets": [],
        "resultTruncated": truncated,
    }
    return body | ({"$skipToken": token} if token else {})


def refusal(code: str, status: int = 400) -> Reply:
    error = {
        "code": "BadRequest",
        "message": "Please provide below info.",
        "details": [{"code": code, "message": "No."}],
    }
    return Reply(status, {"error": error})


def echo(sent: Sent) -> Reply:
    return Reply(200, rows(*({"key": key} for key in sent.body["query"].split())))


def at_most(limit: int, code: str) -> Callable[[Sent], Reply]:
    return lambda sent: echo(sent) if len(sent.body["query"].split()) <= limit else refusal(code)


# --- one query --------------------------------------------------------------------------------------------------------


async def test_a_question_names_its_subscriptions_and_asks_for_objects() -> None:
    graph = Graph(echo)
    await graph.about(1)
    sent = graph.transport.sent[0]
    assert sent.method == "POST"
    assert sent.path == "/providers/Microsoft.ResourceGraph/resources"
    assert sent.body["subscriptions"] == [SUBSCRIPTION]
    assert (sent.body["options"]["$top"], sent.body["options"]["resultFormat"]) == (1000, "objectArray")


async def test_a_question_without_subscriptions_is_about_all_of_them() -> None:
    graph = Graph(echo)
    await graph.graph.every(graph.tally, "x", ())
    assert "subscriptions" not in graph.transport.sent[0].body


async def test_pages_are_followed_to_their_end() -> None:
    def answer(sent: Sent) -> Reply:
        page = int(sent.body["options"].get("$skipToken", "0"))
        token = str(page + 1) if page < 2 else ""
        return Reply(200, rows({"key": page}, total=3, token=token, truncated="true" if token else "false"))

    graph = Graph(answer)
    found = await graph.graph.every(graph.tally, "x", (SUBSCRIPTION,))
    assert [row["key"] for row in found] == [0, 1, 2]
    assert (graph.tally.queries, graph.tally.partial) == (3, "")


@pytest.mark.parametrize(
    "body",
    [rows({"key": 1}, truncated="true"), rows({"key": 1}, total=2)],
    ids=["truncated without a token", "fewer rows than records"],
)
async def test_an_answer_that_is_not_whole_is_a_doubt(body: dict[str, Any]) -> None:
    graph = Graph(lambda _: Reply(200, body))
    assert await graph.about(1) == [1]
    assert "Resource Graph" in graph.tally.partial


async def test_an_answer_that_never_ends_is_left_after_a_while() -> None:
    graph = Graph(lambda _: Reply(200, rows({"key": 1}, total=9999, token="again")))
    assert len(await graph.about(1)) == graph.tally.queries < 100
    assert "of 9999 rows" in graph.tally.partial


@pytest.mark.parametrize("body", [{}, {"data": {}}, [], b"<html>", None])
async def test_an_answer_without_rows_is_no_answer(body: Any) -> None:
    graph = Graph(lambda _: Reply(200, body))
    with pytest.raises(Unavailable):
        await graph.about(1)


async def test_subscriptions_that_cannot_be_read_are_a_doubt_as_those_that_are_left_out() -> None:
    graph = Graph(lambda _: refusal("NoValidSubscriptionsInQueryRequest"))
    assert await graph.about(1) == []
    assert "may read none of the subscriptions" in graph.tally.partial


# --- too much ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["ResponsePayloadTooLarge", "InvalidQuery"])
async def test_what_is_too_much_is_asked_for_in_halves_and_remembered(code: str) -> None:
    graph = Graph(at_most(300, code))
    assert await graph.about(1000) == [str(number) for number in range(1000)]
    assert graph.sizes() == [1000, 500, 250, 250, 250, 250]
    graph.transport.sent.clear()
    assert len(await graph.about(1000)) == 1000
    assert graph.sizes() == [250, 250, 250, 250]


async def test_a_question_whose_answer_is_packed_takes_more_keys() -> None:
    graph = Graph(echo)
    keys = map(str, range(3000))
    assert len(await graph.graph.about(graph.tally, "packed", " ".join, keys, (), 4000)) == 3000
    assert graph.sizes() == [3000]


async def test_a_question_that_is_refused_for_another_reason_is_not_cut_for_ever() -> None:
    graph = Graph(lambda _: refusal("InvalidQuery"))
    with pytest.raises(RegistryIsolationError):
        await graph.about(1000)
    assert graph.sizes()[-1] <= LEAST_KEYS
    assert len(graph.sizes()) < 10


async def test_a_refusal_that_has_nothing_to_do_with_size_is_passed_on_at_once() -> None:
    graph = Graph(lambda _: Reply(403, {"error": {"code": "AuthorizationFailed", "message": "No."}}))
    with pytest.raises(RegistryIsolationError):
        await graph.about(1000)
    assert len(graph.transport.sent) == 1


async def test_a_page_that_is_too_large_is_asked_for_with_fewer_rows() -> None:
    def answer(sent: Sent) -> Reply:
        top = sent.body["options"]["$top"]
        return refusal("ResponsePayloadTooLarge") if top > 300 else Reply(200, rows({"key": top}))

    graph = Graph(answer)
    found = await graph.graph.page(graph.tally, "x", (SUBSCRIPTION,), top=1000)
    assert found.rows[0]["key"] == 250
    await graph.graph.page(graph.tally, "x", (SUBSCRIPTION,), top=1000)
    assert [sent.body["options"]["$top"] for sent in graph.transport.sent] == [1000, 500, 250, 250]


async def test_a_token_that_is_not_understood_means_to_begin_again() -> None:
    graph = Graph(lambda _: refusal("InvalidSkipToken"))
    with pytest.raises(ChangedUnderneath):
        await graph.graph.page(graph.tally, "x", (SUBSCRIPTION,), token="old")
    with pytest.raises(Refused):
        await graph.graph.page(graph.tally, "x", (SUBSCRIPTION,))


# --- the quota --------------------------------------------------------------------------------------------------------


def spent(resets: str) -> Callable[[Sent], Reply]:
    headers = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": resets}
    return lambda sent: Reply(200, echo(sent).body, headers)


async def test_the_query_after_the_last_one_of_the_quota_waits_for_the_reset() -> None:
    graph = Graph(spent("00:00:04"))
    await graph.about(1)
    assert graph.clock.slept == []
    await graph.about(1)
    assert graph.clock.slept == [timedelta(seconds=4)]


async def test_a_reset_that_cannot_be_read_is_the_whole_window() -> None:
    graph = Graph(spent("soon"))
    await graph.about(1)
    await graph.about(1)
    assert graph.clock.slept == [timedelta(seconds=5)]


async def test_a_reset_that_is_far_away_is_told_instead_of_waited_for() -> None:
    graph = Graph(spent("00:05:00"))
    await graph.about(1)
    with pytest.raises(Throttled) as raised:
        await graph.about(1)
    assert raised.value.retry_after == timedelta(minutes=5)
    assert len(graph.transport.sent) == 1
    graph.clock.moment += timedelta(minutes=5)
    await graph.about(1)


async def test_a_quota_that_is_left_costs_no_wait() -> None:
    headers = {"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"}
    graph = Graph(lambda sent: Reply(200, echo(sent).body, headers))
    await graph.about(1)
    await graph.about(1)
    assert graph.clock.slept == []


async def test_a_throttled_query_keeps_the_next_one_back() -> None:
    throttled = Reply(429, {"error": {"code": "RateLimiting", "message": "Slow down."}}, {"Retry-After": "7"})
    graph = Graph(lambda _: throttled)
    for _ in range(2):
        with pytest.raises(Throttled) as raised:
            await graph.about(1)
        assert raised.value.retry_after == timedelta(seconds=7)
    assert graph.clock.slept == [timedelta(seconds=7)]
