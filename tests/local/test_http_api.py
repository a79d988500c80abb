"""
The HTTP API as a stranger meets it: the real host, Azurite and a simulated Azure, and requests made from the document alone.

schemathesis makes requests that the document allows, and some that it forbids; no answer may be a server error, and every
answer must be one that the document knows. Half of the requests about registries are about one that exists.
"""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from handlers.http_routes import ROUTES
from local.arm_user import ArmUser
from local.azurite import REPOSITORY
from local.landing_zone import lay_out
from local.stage import Stage
from local.stage_scene import API_VERSIONS, LOCATION, registry_body
from tests.local.playing import until

pytestmark = pytest.mark.slow

SCALE = 0.02
EXAMPLES = 6
LONGEST = timedelta(minutes=4)
"""A call may wait a minute, and on a busy machine what strangers asked for is still being done when the script begins."""
BAD_REQUEST, NOT_FOUND = 400, 404
ALL = list(HealthCheck)
NAME = "contoso-models"
SCHEMA = schemathesis.openapi.from_path(REPOSITORY / "docs" / "openapi.json")
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    stage: Stage
    url: str
    key: str
    registry: str
    """Path of a registry that exists."""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=90)
        raw = None if body is None else json.dumps(body)
        given = {"x-functions-key": self.key, "content-type": "application/json"} | headers
        connection.request(method, path, raw, given)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with Stage(tmp_path_factory.mktemp("api") / "stage", scale=SCALE) as stage:
        stage.start_clouds()
        stage.start_host()
        url = stage.host.url
        keys = json.loads((stage.folder / "host" / "data" / "keys.json").read_text())
        scene = stage.azure.scene
        path = f"/api/registries/{scene.subscription}/rg-ml/{NAME}"
        asyncio.run(prepare(stage))
        yield Api(stage=stage, url=url, key=keys["function"], registry=path)


async def prepare(stage: Stage) -> None:
    """A registry that was made, and that the app has isolated."""
    async with ArmUser(stage.azure, scale=SCALE) as user:
        await lay_out(user, stage)
        await user.put(stage.azure.scene.registry(NAME), registry_body((LOCATION,)), API_VERSIONS["registries"])


def at_home(case: schemathesis.Case[Any], api: Api) -> None:
    """Every other request is about the registry that exists; nobody waits long."""
    path, query = case.path_parameters or {}, case.query or {}
    if {"subscription", "group", "name"} <= path.keys() and sum(map(ord, str(path["name"]))) % 2:
        path["subscription"], path["group"], path["name"] = api.registry.split("/")[3:]
    if "wait" in query:
        query["wait"] = min(query["wait"], 1)


@pytest.mark.parametrize("route", [route.name for route in ROUTES])
def test_no_request_that_the_document_allows_meets_an_answer_that_it_does_not_know(api: Api, route: str) -> None:
    operation = SCHEMA.find_operation_by_id(route)

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=ALL
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def holds(case: schemathesis.Case[Any]) -> None:
        at_home(case, api)
        answer = case.call(base_url=f"{api.url}/api", headers={"x-functions-key": api.key}, timeout=90)
        case.validate_response(answer, checks=CHECKS)

    holds()


@pytest.mark.parametrize("route", [route.name for route in ROUTES if route.query or route.body or route.parameters])
def test_every_request_that_the_document_forbids_is_refused_as_it_says(api: Api, route: str) -> None:
    operation = SCHEMA.find_operation_by_id(route)

    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, phases=[Phase.generate], suppress_health_check=ALL
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def holds(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=f"{api.url}/api", headers={"x-functions-key": api.key}, timeout=90)
        if "x-content-type-options" not in answer.headers:  # the host's own word: no HTTP, or no route of the app
            assert answer.status_code in {BAD_REQUEST, NOT_FOUND}
            return
        case.validate_response(answer, checks=[*CHECKS, checks.negative_data_rejection])

    holds()


def test_a_key_is_needed(api: Api) -> None:
    for route in ROUTES:
        path = f"/api/{route.path}".replace("{sweep}", "x")
        for name, value in zip(("subscription", "group", "name"), api.registry.split("/")[3:], strict=True):
            path = path.replace(f"{{{name}}}", value)
        status, _ = api.ask(route.method, path, **{"x-functions-key": "wrong"})
        assert status == (200 if route.anonymous else 401)


def test_a_script_gets_from_a_plan_to_an_isolated_registry(api: Api) -> None:
    # A plan that is another one by now is not carried out: the script looks again, as a person would.
    until(lambda: _approve(api) and api.ask("GET", api.registry)[1]["phase"] == "converged", within=LONGEST)
    assert api.ask("GET", f"{api.registry}/plan")[1]["digest"] == ""


def _approve(api: Api) -> bool:
    """Look at the plan and have exactly that done; False while what strangers asked for is still being done."""
    status, plan = api.ask("GET", f"{api.registry}/plan")
    assert status == 200
    digest = {"digest": plan["digest"]} if plan["digest"] else None
    status, told = api.ask("POST", f"{api.registry}/remediate?wait=60", digest)
    assert status in {200, 202} or told["error"] in {"WorkUnderWay", "PlanChanged"}
    return status in {200, 202}


def test_clients_that_hang_up_or_never_finish_do_no_harm(api: Api) -> None:
    _, before = api.ask("GET", api.registry)
    host, port = urlsplit(api.url).netloc.split(":")
    head = f"POST {api.registry}/pause HTTP/1.1\r\nHost: {host}\r\nx-functions-key: {api.key}\r\n"
    slow = [socket.create_connection((host, int(port)), timeout=30) for _ in range(20)]
    for client in slow:
        client.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    impatient = socket.create_connection((host, int(port)), timeout=30)
    impatient.sendall(f"POST {api.registry}/remediate?wait=60 HTTP/1.1\r\nHost: {host}\r\n".encode())
    impatient.sendall(f"x-functions-key: {api.key}\r\nContent-Length: 0\r\n\r\n".encode())
    impatient.close()

    assert api.ask("GET", "/api/health")[0] == 200
    for client in slow:
        client.close()

    _, after = api.ask("GET", api.registry)
    assert after["paused"] is None
    assert after["generation"] <= before["generation"] + 1
    until(lambda: api.ask("GET", api.registry)[1]["answered"])
