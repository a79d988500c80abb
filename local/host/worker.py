"""
Microsoft's worker, driven in this process.

`Worker` knows the shape of the worker's requests and answers and nothing else: who triggers what is the host's part.
The worker keeps its index in module variables, so a process can hold one app.
"""

import asyncio
import importlib
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from local.host import protos
from local.host.protos import ParameterBinding, RpcException, RpcRetryOptions, StatusResult, TypedData


class AppNotLoaded(RuntimeError):
    """function_app.py is missing, cannot be imported, or declares something that the worker refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedFunction:
    """A function as the worker found it."""

    name: str
    id: str
    raw_bindings: tuple[str, ...]
    """One JSON text per binding, as in a function.json."""
    retry_options: RpcRetryOptions | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one invocation. An exception of the function is an answer too."""

    error: str | None = None
    """Type and message of the exception; None means success."""
    stack_trace: str = ""
    return_value: TypedData | None = None
    outputs: Mapping[str, TypedData]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """That a call repeats a failed one."""

    count: int
    """The first retry is 1."""
    most: int
    error: str
    """Why the one before failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation, ready to run."""

    function_id: str
    invocation_id: str
    parameter: str
    """Name of the function's trigger parameter."""
    value: TypedData
    metadata: Mapping[str, TypedData]
    trace_parent: str
    retry: Retry | None = None


class Worker:
    """The worker, once `load` has indexed an app."""

    def __init__(self) -> None:
        # Imported by name: the package carries no type information.
        self._runtime: Any = importlib.import_module("azure_functions_runtime")

    async def load(self, app: Path) -> tuple[IndexedFunction, ...]:
        """
        Index the function_app.py in *app*.

        Raises:
            AppNotLoaded: With the app's own traceback where there is one.
        """
        script = app / os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
        if not script.is_file():
            raise AppNotLoaded(f"There is no {script.name} in {app}.")
        sys.path.insert(0, str(app))  # the app's own modules win, as in Azure
        self._runtime.start_threadpool_executor()
        answer = await self._runtime.worker_init_request(
            _request(worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app)))
        )
        if answer.result.status != StatusResult.Success:
            error = answer.result.exception
            raise AppNotLoaded(f"{script} cannot be loaded. {error.message}\n{error.stack_trace}")
        if "HttpUri" in answer.capabilities:
            raise AppNotLoaded("The app uses HTTP streaming (azurefunctions.extensions), which this host cannot serve.")
        metadata = await self._runtime.functions_metadata_request(_request())
        return tuple(_indexed(function) for function in metadata.function_metadata_results or ())

    async def run(self, call: Call) -> Answer:
        """Run one invocation to its end. Whatever the function raises becomes an `Answer`, except a cancellation."""
        self._runtime.invocation_id_cv.set(call.invocation_id)
        request = SimpleNamespace(
            invocation_id=call.invocation_id,
            function_id=call.function_id,
            input_data=[ParameterBinding(name=call.parameter, data=call.value)],
            trigger_metadata=call.metadata,
            trace_context=SimpleNamespace(trace_parent=call.trace_parent, trace_state="", attributes={}),
            retry_context=_retry_context(call.retry),
        )
        try:
            response = await self._runtime.invocation_request(_request(invocation_request=request))
        except (asyncio.CancelledError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 -- sys.exit() and the like end the worker in Azure: it failed
            return Answer(error=f"{type(error).__name__}: {error}", stack_trace=traceback.format_exc(), outputs={})
        return _answer(response)

    def replace_threads(self) -> None:
        """Give synchronous functions a fresh thread pool, because a thread of this one will not come back."""
        self._runtime.start_threadpool_executor()

    def current_invocation(self) -> str | None:
        """The invocation on whose behalf the calling code runs, for the log."""
        invocation_id: str | None = self._runtime.invocation_id_cv.get()
        return invocation_id


def _request(**content: Any) -> Any:
    return SimpleNamespace(request=SimpleNamespace(**content), properties={"host": "127.0.0.1", "protos": protos})


def _retry_context(retry: Retry | None) -> SimpleNamespace:
    if retry is None:
        return SimpleNamespace(retry_count=0, max_retry_count=0, exception=None)
    error = RpcException(source="", stack_trace="", message=retry.error)
    return SimpleNamespace(retry_count=retry.count, max_retry_count=retry.most, exception=error)


def _indexed(function: Any) -> IndexedFunction:
    return IndexedFunction(
        name=function.name,
        id=function.function_id,
        raw_bindings=tuple(function.raw_bindings),
        retry_options=function.retry_options,
    )


def _answer(response: Any) -> Answer:
    if response.result.status != StatusResult.Success:
        error = response.result.exception
        return Answer(error=error.message, stack_trace=error.stack_trace, outputs={})
    outputs = {binding.name: binding.data for binding in response.output_data if binding.data is not None}
    return Answer(return_value=response.return_value, outputs=outputs)
