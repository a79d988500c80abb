"""What the HTTP door refuses, and how it says so; and that it tells nobody what is behind it."""

import json
import logging
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.http_problem import STATUSES, bug, problem_of, retry_after, status_of
from handlers.http_routes import ROUTES
from handlers.http_serve import serve
from handlers.runtime import Runtime
from shared.core import errors
from shared.core.errors import MalformedRequest, RegistryIsolationError, Temporary, Throttled, Unavailable
from shared.engine.ports import LedgerPage
from tests.core.test_errors import LEAVES, LISTS
from tests.core.worlds import a_policy, registry_id
from tests.handlers.http_rig import KEY, Door, path_to

ALPHA = registry_id("alpha")
REMEDIATE = path_to(ALPHA, "remediate")
OTHER = "99999999-9999-4999-8999-999999999999"


class Untouchable:
    """Whatever is asked of it is a defect."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


class Failing:
    """A ledger that fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def list_rows(self, **_: object) -> LedgerPage:
        raise self._error


# --- scope ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", ["", "/history"])
async def test_a_registry_out_of_scope_is_refused_before_anything_is_asked(more: str) -> None:
    door = Door(a_policy(), ledger=Untouchable(), queue=Untouchable())

    told = await door.get(path_to(ALPHA).replace(ALPHA.subscription, OTHER) + more)

    assert (told.status, told.body["error"], told.body["fate"]) == (403, "OutOfScope", "permanent")


@pytest.mark.parametrize("act", ["remediate", "undo", "pause", "resume"])
async def test_scope_is_looked_at_before_query_and_body(act: str) -> None:
    door = Door(
        a_policy(scope={"subscriptions": [ALPHA.subscription], "registries": {"exclude": ["alp*"]}}),
        ledger=Untouchable(),
    )

    told = await door.post(path_to(ALPHA, act) + "?nonsense=1", b"{")

    assert (told.status, told.body["error"]) == (403, "OutOfScope")


# --- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subscription", "group", "name", "wrong"),
    [
        ("alpha", "rg", "models", ["subscription"]),
        (OTHER, "rg.", "models", ["group"]),
        (OTHER, "r" * 91, "models", ["group"]),
        (OTHER, "..", "models", ["group"]),
        (OTHER, "a%20b", "models", ["group"]),
        (OTHER, "rg", "m", ["name"]),
        (OTHER, "rg", "models%2F..%2Fx", ["name"]),
        (OTHER, "rg", "models%00", ["name"]),
        ("x", "<script>", "-", ["subscription", "group", "name"]),
    ],
)
async def test_a_path_that_names_no_registry_is_refused_with_every_problem(
    subscription: str, group: str, name: str, wrong: list[str]
) -> None:
    told = await Door(a_policy(), ledger=Untouchable()).get(f"/api/registries/{subscription}/{group}/{name}")

    assert (told.status, told.body["error"]) == (400, "MalformedRequest")
    assert [flaw["parameter"] for flaw in told.body["errors"]] == wrong


# --- queries ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("limit=0", ["limit"]),
        ("limit=1001", ["limit"]),
        ("limit=%D9%A1", ["limit"]),
        ("limit=00000000100001", ["limit"]),
        (f"limit={'9' * 5000}", ["limit"]),
        ("limit=1e2", ["limit"]),
        ("phase=done", ["phase"]),
        ("after=", ["after"]),
        ("lmit=5", ["lmit"]),
        ("limit=x&phase=x&more=x", ["limit", "phase", "more"]),
    ],
)
async def test_a_query_that_cannot_be_understood_is_refused_with_every_problem(query: str, wrong: list[str]) -> None:
    told = await Door(a_policy(), ledger=Untouchable()).get(f"/api/registries?{query}")

    assert told.status == 400
    assert [flaw["parameter"] for flaw in told.body["errors"]] == wrong


async def test_a_key_in_the_query_is_the_platforms_business_and_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    door = Door(a_policy())

    listed = await door.get(f"/api/registries?code={KEY}")
    refused = await door.get(f"{path_to(ALPHA)}?code={KEY}&clientId=default&more=1")

    assert listed.status == 200
    assert refused.body["instance"] == path_to(ALPHA)
    assert KEY not in json.dumps(refused.body) + caplog.text


@pytest.mark.parametrize("wait", ["61", "-1", "soon"])
async def test_nobody_may_wait_longer_than_a_minute(wait: str) -> None:
    told = await Door(a_policy(), ledger=Untouchable()).post(f"{REMEDIATE}?wait={wait}")

    assert [flaw["parameter"] for flaw in told.body["errors"]] == ["wait"]


# --- bodies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "body", "status", "pointers"),
    [
        ("remediate", b'{"digest": 5, "force": true}', 422, ["#/digest", "#/force"]),
        ("remediate", b'{"digest": "ABC"}', 422, ["#/digest"]),
        ("remediate", b'{"digest": ""}', 422, ["#/digest"]),
        ("remediate", b"[]", 422, ["#"]),
        ("remediate", b"{", 400, ["#"]),
        ("remediate", b'{"digest": NaN}', 400, ["#"]),
        ("remediate", b'{"digest": null, "digest": null}', 400, ["#"]),
        ("remediate", b"\xff\xfe", 400, ["#"]),
        ("remediate", b'{"a":' * 9 + b"1" + b"}" * 9, 400, ["#"]),
        ("remediate", b"[" * 16_000, 400, ["#"]),
        ("undo", b"{}", 422, ["#/why"]),
        ("undo", b'{"why": "  "}', 422, ["#/why"]),
        ("undo", b'{"why": ["x"]}', 422, ["#/why"]),
        ("pause", b'{"why": "' + b"x" * 501 + b'"}', 422, ["#/why"]),
        ("resume", b'{"why": "x"}', 422, ["#/why"]),
    ],
)
async def test_a_body_that_means_nothing_is_refused_with_every_problem(
    act: str, body: bytes, status: int, pointers: list[str]
) -> None:
    told = await Door(a_policy(), ledger=Untouchable()).post(path_to(ALPHA, act), body)

    assert (told.status, told.body["error"]) == (status, "MalformedRequest")
    assert [flaw["pointer"] for flaw in told.body["errors"]] == pointers


async def test_so_many_problems_are_not_all_told() -> None:
    body = json.dumps({f"member{at}": 1 for at in range(900)}).encode()

    told = await Door(a_policy(), ledger=Untouchable()).post(REMEDIATE, body)

    assert (told.status, len(told.body["errors"])) == (422, 100)
    assert len(told.body["detail"]) < 1_200


async def test_a_body_that_is_needed_and_absent_is_asked_for() -> None:
    told = await Door(a_policy(), ledger=Untouchable()).post(path_to(ALPHA, "undo"))

    assert told.status == 422
    assert "A body is needed" in told.body["detail"]
    assert "why" in told.body["detail"]


async def test_a_body_is_bounded() -> None:
    told = await Door(a_policy(), ledger=Untouchable()).post(REMEDIATE, b" " * 16_385)

    assert (told.status, told.body["error"]) == (413, "RequestTooLarge")


@pytest.mark.parametrize("media", ["", "text/plain", "application/jsonp", "application/json; charset=latin-1", "a;b;c"])
async def test_a_body_has_to_say_that_it_is_json(media: str) -> None:
    told = await Door(a_policy(), ledger=Untouchable()).ask("POST", REMEDIATE, b"{}", {"content-type": media})

    assert (told.status, told.body["error"]) == (415, "WrongMediaType")


async def test_json_may_name_its_charset() -> None:
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}

    assert (await Door(a_policy()).ask("POST", REMEDIATE, b"{}", headers)).status == 202


async def test_an_operation_without_a_body_takes_none() -> None:
    assert (await Door(a_policy()).ask("GET", "/api/registries", b"{}")).status == 400


@given(body=st.binary(max_size=300), media=st.sampled_from(["application/json", "", "x"]), query=st.text(max_size=40))
async def test_no_input_is_the_apps_own_failure(body: bytes, media: str, query: str) -> None:
    door = Door(a_policy())

    told = await door.ask("POST", f"{REMEDIATE}?limit={query.replace('#', '')}", body, {"content-type": media})

    assert 400 <= told.status < 500


# --- failures ---------------------------------------------------------------------------------------------------------


async def test_an_outage_of_the_state_says_when_to_come_back() -> None:
    error = Throttled("Slow down.", code="ServerBusy", retry_after=timedelta(seconds=12.2))

    told = await Door(a_policy(), ledger=Failing(error)).get("/api/registries")

    assert (told.status, told.headers["Retry-After"]) == (503, "13")
    assert (told.body["error"], told.body["fate"], told.body["code"]) == ("Throttled", "retry-now", "ServerBusy")


async def test_a_bug_is_told_to_the_log_and_not_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    told = await Door(a_policy(), ledger=Failing(ValueError("the inside"))).get("/api/registries")

    assert (told.status, told.body["error"]) == (500, "Bug")
    assert "the inside" not in json.dumps(told.body)
    assert "the inside" in caplog.text


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf not in LISTS], ids=lambda leaf: leaf.__name__)
def test_every_error_of_the_tree_has_a_status_and_a_problem(leaf: type[RegistryIsolationError]) -> None:
    error = leaf("It happened.", code="Code")

    problem = problem_of(error, "/api/x")

    assert problem.status == status_of(error)
    assert (problem.error, problem.code, problem.fate) == (leaf.__name__, "Code", leaf.fate.value)
    assert problem.type == f"urn:registry-isolation:error:{leaf.__name__}"
    assert (retry_after(error) is not None) == (leaf.fate not in {errors.Fate.PERMANENT, errors.Fate.BLOCKED} or isinstance(
        error, Temporary
    )) or leaf is errors.OperationFailed  # fmt: skip


def test_a_list_of_statuses_names_no_class_twice_over() -> None:
    """A class whose nearest listed ancestor has the same status needs no line of its own."""
    for kind, status in STATUSES.items():
        above = next((STATUSES[each] for each in kind.__mro__[1:] if each in STATUSES), None)
        assert above != status, kind


def test_a_title_is_the_error_in_words_and_a_long_wait_is_shortened() -> None:
    assert problem_of(MalformedRequest("x"), "/").title == "Malformed request"
    assert bug("/").title == "Internal error"
    assert retry_after(Unavailable("x", retry_after=timedelta(days=1))) == "3600"
    assert retry_after(Unavailable("x", retry_after=timedelta())) == "10"


@pytest.mark.parametrize("address", ["https://[::1/api/registries", "https://[x]/api/registries", "//[", ""])
async def test_an_address_that_is_none_gets_an_answer(address: str) -> None:
    route = next(route for route in ROUTES if route.name == "list_registries")
    request = func.HttpRequest(method="GET", url=address, headers={}, params={"limit": "x"}, route_params={}, body=b"")

    async def compose() -> Runtime:
        return Door(a_policy(), ledger=Untouchable()).app

    answer = await serve(route, request, compose)

    assert answer.status_code == 400
    assert json.loads(answer.get_body())["errors"][0]["parameter"] == "limit"
