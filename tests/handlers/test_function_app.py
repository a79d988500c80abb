"""What Azure Functions sees of the app."""

import inspect
import json
import re
import runpy
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from handlers.dashboard import dashboard, dashboard_code
from handlers.events import registry_events
from handlers.http_routes import PREFIX, ROUTES
from handlers.outcomes import deliver_outcomes
from handlers.reconcile import keep_poison, reconcile_registry
from handlers.remediation import BUILDERS
from handlers.sweep import sweep_step, sweep_timer
from local.host.routes import Route as Template
from tests.handlers.decoding import user_function

ROOT = Path(__file__).parents[2]


@pytest.fixture
def functions() -> dict[str, Any]:
    """Functions by name, of an app of its own: azure-functions lists those of one app only once."""
    app: func.FunctionApp = runpy.run_path(str(ROOT / "function_app.py"))["app"]
    return {str(function.get_function_name()): function for function in app.get_functions()}


def bindings(function: Any) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in binding.get_dict_repr().items() if key != "direction"}
        for binding in function.get_bindings()
    ]


def http_functions() -> set[str]:
    return {route.name for route in ROUTES} | {"dashboard", "dashboard_code"}


def test_the_functions_that_no_http_request_calls_have_one_trigger_each(functions: dict[str, Any]) -> None:
    queue = {"type": "queueTrigger", "name": "message", "connection": "AzureWebJobsStorage"}

    assert {name: bindings(functions[name]) for name in functions.keys() - http_functions()} == {
        "registry_events": [{"type": "eventGridTrigger", "name": "event"}],
        "reconcile_registry": [queue | {"queueName": "%ISOLATION_WORK_QUEUE%"}],
        "keep_poison": [queue | {"queueName": "%ISOLATION_WORK_QUEUE%-poison"}],
        "deliver_outcomes": [queue | {"queueName": "%ISOLATION_WORK_QUEUE%-outcomes"}],
        "sweep_timer": [{"type": "timerTrigger", "name": "timer", "schedule": "%ISOLATION_SWEEP_SCHEDULE%"}],
        "sweep_step": [queue | {"queueName": "%ISOLATION_WORK_QUEUE%-sweep"}],
    }


def test_every_function_is_a_coroutine_whose_argument_is_its_binding(functions: dict[str, Any]) -> None:
    for function in functions.values():
        code = function.get_user_function()
        assert inspect.iscoroutinefunction(code)
        inputs = [binding["name"] for binding in bindings(function) if binding["name"] != "$return"]
        assert list(inspect.signature(code).parameters) == [*inputs, "context"]


def test_every_line_of_the_table_of_routes_is_a_function(functions: dict[str, Any]) -> None:
    for route in ROUTES:
        trigger, answer = bindings(functions[route.name])
        level = func.AuthLevel.ANONYMOUS if route.anonymous else func.AuthLevel.FUNCTION
        assert (trigger["type"], trigger["route"], trigger["authLevel"]) == ("httpTrigger", route.path, level)
        assert [str(method.value) for method in trigger["methods"]] == [route.method]
        assert answer == {"type": "http", "name": "$return"}


def test_pages_are_anonymous_to_the_host_and_the_exchange_of_a_key_is_not(functions: dict[str, Any]) -> None:
    pages, code = (bindings(functions[name])[0] for name in ("dashboard", "dashboard_code"))

    assert (pages["route"], pages["authLevel"]) == ("dashboard/{*path}", func.AuthLevel.ANONYMOUS)
    assert (code["route"], code["authLevel"]) == ("dashboard-code", func.AuthLevel.FUNCTION)


def test_every_function_that_a_request_reaches_needs_a_key_but_the_pages_and_the_ping(
    functions: dict[str, Any],
) -> None:
    doors = {name: bindings(function)[0] for name, function in functions.items()}
    levels = {name: door["authLevel"] for name, door in doors.items() if door["type"] == "httpTrigger"}

    assert {name for name, level in levels.items() if level is not func.AuthLevel.FUNCTION} == {"dashboard", "ping"}
    assert len(levels) > 2


def test_no_address_is_served_by_two_functions(functions: dict[str, Any]) -> None:
    """The real host would take the first one by name, whatever the routes' precedence (azure-functions-host, issue 9876)."""
    routes = {name: bindings(functions[name])[0] for name in http_functions()}
    served = {name: {str(method.value) for method in route["methods"]} for name, route in routes.items()}
    example = {name: re.sub(r"\{[^}]+\}", "x", route["route"]) for name, route in routes.items()}

    for name, route in routes.items():
        template = Template.parse(route["route"])
        also = {
            other
            for other, path in example.items()
            if template.match(path) is not None and served[other] & served[name]
        }
        assert also == {name}


def test_the_route_prefix_is_the_hosts_default() -> None:
    assert "http" not in json.loads((ROOT / "host.json").read_text())["extensions"]
    assert PREFIX == "/api"


def test_the_functions_are_those_of_the_handlers(functions: dict[str, Any]) -> None:
    builders = {
        "dashboard": dashboard,
        "dashboard_code": dashboard_code,
        "registry_events": registry_events,
        "reconcile_registry": reconcile_registry,
        "keep_poison": keep_poison,
        "deliver_outcomes": deliver_outcomes,
        "sweep_timer": sweep_timer,
        "sweep_step": sweep_step,
        **BUILDERS,
    }

    assert {name: function.get_user_function() for name, function in functions.items()} == {
        name: user_function(builder) for name, builder in builders.items()
    }


def test_the_hosts_queue_settings_fit_what_the_engine_expects() -> None:
    host = json.loads((ROOT / "host.json").read_text())
    queues = host["extensions"]["queues"]

    assert queues["messageEncoding"] == "base64"
    assert queues["maxDequeueCount"] == 5
    assert queues["visibilityTimeout"] == "00:00:30"


def test_the_settings_that_the_bindings_name_are_in_the_sample() -> None:
    values = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]

    assert {"ISOLATION_WORK_QUEUE", "ISOLATION_SWEEP_SCHEDULE", "AzureWebJobsStorage"} <= values.keys()
