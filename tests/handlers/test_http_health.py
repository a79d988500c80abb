"""Health, ping and the description of the API."""

import json
import re
import tomllib
from pathlib import Path

import azure.functions as func
import pytest

from handlers import health_schemas, http_schemas
from handlers.http_actions import ACTIONS
from handlers.http_health import VERSION
from handlers.http_query import PARAMETERS
from handlers.http_routes import REGISTRY, ROUTES
from handlers.http_serve import serve
from handlers.openapi import document
from handlers.runtime import Runtime
from shared.core import reports_json
from shared.core.errors import InvalidPolicy, InvalidSettings, Unavailable
from tests.core.worlds import a_policy
from tests.handlers.http_rig import KEY, Door, checked
from tests.handlers.test_http_refusals import Failing

ROOT = Path(__file__).parents[2]
BY_NAME = {route.name: route for route in ROUTES}


async def test_a_healthy_app_says_its_version_mode_and_policy() -> None:
    one, other = [(await Door(a_policy(mode=mode)).get("/api/health")).body for mode in ("enforce", "audit")]

    assert (one["status"], one["version"], one["mode"]) == ("ok", VERSION, "enforce")
    assert all(check["ok"] for check in one["checks"])
    assert other["policyDigest"] != one["policyDigest"]


async def test_an_app_without_its_state_is_failing_and_says_why() -> None:
    told = await Door(a_policy(), ledger=Failing(Unavailable("No answer."))).get("/api/health")

    assert (told.status, told.body["status"]) == (503, "failing")
    assert [check["sentence"] for check in told.body["checks"] if not check["ok"]] == ["No answer."]


@pytest.mark.parametrize(
    "error", [InvalidSettings(["AZURE_CLOUD is wrong."]), InvalidPolicy(["line 1: mode is wrong"])]
)
async def test_an_app_that_is_set_up_wrongly_says_what_is_wrong(error: InvalidSettings | InvalidPolicy) -> None:
    async def fails() -> Runtime:
        raise error

    request = func.HttpRequest(method="GET", url="/api/x", params={}, headers={}, body=b"")
    health = checked(BY_NAME["show_health"], await serve(BY_NAME["show_health"], request, fails))
    listed = checked(BY_NAME["list_registries"], await serve(BY_NAME["list_registries"], request, fails))
    pinged = checked(BY_NAME["ping"], await serve(BY_NAME["ping"], request, fails))

    assert (health.status, listed.status, pinged.status) == (503, 503, 200)
    assert health.body["checks"][0]["sentence"] == listed.body["detail"] == error.sentence


async def test_the_ping_tells_nothing_whoever_asks_and_touches_nothing() -> None:
    touched: list[str] = []

    async def compose() -> Runtime:
        touched.append("settings")
        return Door(a_policy()).app

    known = {"x-functions-key": KEY, "x-ms-client-principal-id": "0f0f"}
    for headers in ({}, known):
        request = func.HttpRequest(method="GET", url="/api/ping?deep=true", params={}, headers=headers, body=b"")
        answer = await serve(BY_NAME["ping"], request, compose)
        assert (answer.status_code, json.loads(answer.get_body())) == (200, {"status": "ok"})

    assert touched == []


async def test_the_description_that_is_served_is_the_one_that_is_checked_in() -> None:
    served = (await Door(a_policy()).get("/api/openapi.json")).body

    assert served == json.loads((ROOT / "docs" / "openapi.json").read_text()), (
        "run: python -m handlers.openapi > docs/openapi.json"
    )


def test_the_version_is_the_projects() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_every_name_in_the_table_of_routes_means_something() -> None:
    assert ACTIONS.keys() | {"ping"} == BY_NAME.keys()
    for route in ROUTES:
        assert set(route.query) <= PARAMETERS.keys()
        for model in filter(None, (route.body, *(model for _, model in route.answers))):
            assert any(hasattr(home, model) for home in (http_schemas, health_schemas, reports_json))


def test_every_operation_says_what_it_takes_and_answers() -> None:
    for path, operations in document(VERSION).model_dump()["paths"].items():
        for operation in operations.values():
            said = {parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"}
            assert said == {part[1:-1] for part in path.split("/") if part.startswith("{")}
            assert operation["summary"]
            assert all(answer["description"] for answer in operation["responses"].values())


def test_every_operation_is_explained_to_people() -> None:
    text = (ROOT / "docs" / "http.md").read_text()

    for route in ROUTES:
        literal = route.path.replace("{sweep}", "{id}").removeprefix(f"{REGISTRY}/")
        assert re.search(rf"{route.method} (…/|/api/)?{re.escape(literal)}(?!\w)", text), route.name
