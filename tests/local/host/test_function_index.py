import json
from datetime import timedelta
from typing import Any

import pytest

from local.host.app_settings import AppSettings
from local.host.functions import (
    AuthLevel,
    EventGridTrigger,
    Function,
    HttpTrigger,
    QueueOutput,
    QueueTrigger,
    TimerTrigger,
    UnsupportedApp,
    describe,
)
from local.host.protos import RpcRetryOptions
from local.host.retries import RetryPolicy, Strategy
from local.host.worker import IndexedFunction

SETTINGS = AppSettings({"AzureWebJobsStorage": "storage", "WORK": "Orders", "EVERY": "0 */5 * * * *"})


def indexed(name: str, *bindings: dict[str, Any], retry: RpcRetryOptions | None = None) -> IndexedFunction:
    texts = tuple(json.dumps({"direction": "IN", "name": "p"} | binding) for binding in bindings)
    return IndexedFunction(name=name, id=f"{name}-id", raw_bindings=texts, retry_options=retry)


def only(*bindings: dict[str, Any]) -> Function:
    [function] = describe([indexed("f", *bindings)], SETTINGS)
    return function


HTTP = {"type": "httpTrigger", "authLevel": "ANONYMOUS"}
RESPONSE = {"type": "http", "direction": "OUT", "name": "$return"}


def test_an_http_function_without_a_route_is_served_under_its_name() -> None:
    function = only({"type": "httpTrigger"}, RESPONSE)

    assert isinstance(function.trigger, HttpTrigger)
    assert function.trigger.route.template == "f"
    assert function.trigger.auth_level is AuthLevel.FUNCTION
    assert function.trigger.methods == frozenset()
    assert function.http_output == "$return"


def test_a_queue_function_gets_its_settings_resolved_and_its_queue_lower_cased() -> None:
    output = {"type": "queue", "direction": "OUT", "name": "out", "queueName": "%WORK%-done"}
    function = only({"type": "queueTrigger", "queueName": "%WORK%", "connection": "AzureWebJobsStorage"}, output)

    assert function.trigger == QueueTrigger(parameter="p", queue="orders", connection_string="storage")
    assert function.queue_outputs == (QueueOutput(parameter="out", queue="orders-done", connection_string="storage"),)


def test_a_timer_function_gets_its_schedule_resolved() -> None:
    function = only({"type": "timerTrigger", "schedule": "%EVERY%", "runOnStartup": "true"})

    assert isinstance(function.trigger, TimerTrigger)
    assert function.trigger.schedule.expression == "0 */5 * * * *"
    assert function.trigger.run_on_startup
    assert function.trigger.use_monitor


def test_an_event_grid_function_is_known() -> None:
    assert only({"type": "eventGridTrigger"}).trigger == EventGridTrigger(parameter="p")


@pytest.mark.parametrize(
    ("bindings", "part"),
    [
        (
            [HTTP, {"type": "blob", "direction": "OUT", "name": "b"}],
            r"binding of type blob \(parameter b, direction out\)",
        ),
        ([HTTP, {"type": "blob", "name": "b"}], r"binding of type blob \(parameter b, direction in\)"),
        ([{"type": "serviceBusTrigger"}], "binding of type serviceBusTrigger"),
        ([HTTP, {"type": "eventGrid", "direction": "OUT", "name": "e"}], "binding of type eventGrid"),
        ([RESPONSE], "has 0 triggers"),
        ([HTTP, {"type": "eventGridTrigger"}], "has 2 triggers"),
        ([{"type": "queueTrigger", "queueName": "%GONE%"}], "needs the app setting GONE"),
        ([{"type": "queueTrigger", "queueName": "q", "connection": "Gone"}], "needs the connection string Gone"),
        ([HTTP, {"type": "queue", "direction": "OUT", "queueName": "{id}"}], "a binding expression"),
        ([{"type": "timerTrigger", "schedule": "hourly"}], "is not an NCRONTAB expression"),
        ([HTTP | {"route": "a/{b:regex(x)}"}], "the constraint regex"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(bindings: list[dict[str, Any]], part: str) -> None:
    with pytest.raises(UnsupportedApp, match=part):
        only(*bindings)


SECOND = timedelta(seconds=1)
TIMER = {"type": "timerTrigger", "schedule": "0 0 * * * *"}


def fixed(*, most: int = 3) -> RpcRetryOptions:
    return RpcRetryOptions(retry_strategy="fixed_delay", max_retry_count=most, delay_interval=SECOND)


def test_a_timers_retry_policy_is_read() -> None:
    [function] = describe([indexed("f", TIMER, retry=fixed())], SETTINGS)

    assert function.retry == RetryPolicy(strategy=Strategy.FIXED_DELAY, most=3, minimum=SECOND, maximum=SECOND)
    assert only(TIMER).retry is None


def test_a_retry_policy_that_azure_would_not_apply_is_refused() -> None:
    with pytest.raises(UnsupportedApp, match="The function f has a retry policy, which Azure applies to none of its"):
        describe([indexed("f", HTTP, retry=fixed())], SETTINGS)


def test_a_retry_policy_that_azure_would_refuse_is_refused() -> None:
    with pytest.raises(UnsupportedApp, match="The function f has a retry policy that Azure refuses: the number"):
        describe([indexed("f", TIMER, retry=fixed(most=-2))], SETTINGS)


def test_every_problem_of_every_function_is_reported() -> None:
    functions = [indexed("a", {"type": "cosmosDBTrigger"}), indexed("b", {"type": "kafkaTrigger"}), indexed("c", HTTP)]

    with pytest.raises(UnsupportedApp) as refusal:
        describe(functions, SETTINGS)

    assert [line.split(", which")[0] for line in str(refusal.value).splitlines()] == [
        "The function a has a binding of type cosmosDBTrigger (parameter p, direction in)",
        "The function b has a binding of type kafkaTrigger (parameter p, direction in)",
    ]


def test_two_functions_for_the_same_requests_are_refused() -> None:
    functions = [indexed("a", HTTP | {"route": "x/{y}", "methods": ["GET"]}), indexed("b", HTTP | {"route": "X/{z}"})]

    with pytest.raises(UnsupportedApp, match="The functions a and b answer the same requests"):
        describe(functions, SETTINGS)


def test_one_route_with_different_methods_is_two_functions() -> None:
    functions = [
        indexed("a", HTTP | {"route": "x", "methods": ["GET"]}),
        indexed("b", HTTP | {"route": "x", "methods": ["post"]}),
    ]

    assert [function.name for function in describe(functions, SETTINGS)] == ["a", "b"]
