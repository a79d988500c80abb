"""Events and messages as Microsoft's own worker hands them to a function."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum


def decoded(event: Mapping[str, Any]) -> Any:
    """What azure-functions makes of one element of a delivery."""
    return EventGridEventInConverter.decode(Datum(json.dumps(event), "json"), trigger_metadata=None)


def user_function(builder: object) -> Any:
    """The plain coroutine function under azure-functions' decorators."""
    assert isinstance(builder, func.decorators.function_app.FunctionBuilder)
    return builder.build().get_user_function()


def a_context(trace: str = "") -> func.Context:
    """What the worker gives of an invocation, with the host's trace context."""
    return cast(func.Context, SimpleNamespace(trace_context=SimpleNamespace(trace_parent=trace, trace_state="")))


def message(body: str | bytes) -> func.QueueMessage:
    return func.QueueMessage(id="m-1", body=body, pop_receipt="p")
