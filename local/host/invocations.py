"""
Running functions: one `Invoker` for every trigger.

An invocation fails when the function raises, exceeds `functionTimeout`, or when one of its outputs cannot be sent; a
failure is a value, and what follows from it (a 500, a message made visible again) is the trigger's business.
"""

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from local.host.functions import Function, QueueOutput
from local.host.protos import TypedData
from local.host.worker import Answer, Call, Retry

log = logging.getLogger("host.invocation")

LAST_WORDS = timedelta(seconds=1)
"""How long a cancelled function may take to clean up before the host stops looking."""


class RunsCalls(Protocol):
    """The worker, as invocations see it."""

    async def run(self, call: Call) -> Answer: ...

    def replace_threads(self) -> None: ...


class OutputFailed(RuntimeError):
    """An output could not be sent."""


class SendsOutputs(Protocol):
    async def send(self, output: QueueOutput, messages: Sequence[str | bytes]) -> None:
        """
        Deliver *messages*, in order.

        Raises:
            OutputFailed: At least one was not delivered.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What became of one invocation."""

    id: str
    error: str | None
    """Why it failed; None means that it succeeded."""
    response: TypedData | None = None
    """The HTTP output, if the function has one and set it."""

    @property
    def succeeded(self) -> bool:
        return self.error is None


class Invoker:
    def __init__(self, *, worker: RunsCalls, outputs: SendsOutputs, function_timeout: timedelta) -> None:
        self._worker = worker
        self._outputs = outputs
        self._function_timeout = function_timeout
        self._running: set[asyncio.Task[Answer]] = set()

    async def invoke(
        self,
        function: Function,
        value: TypedData,
        *,
        reason: str,
        metadata: Mapping[str, TypedData] | None = None,
        trace_parent: str | None = None,
        retry: Retry | None = None,
    ) -> Invocation:
        """
        Run *function* once, to its end.

        Args:
            function: What to run.
            value: The trigger's value in the form that the worker decodes.
            reason: Why, for the log, in a few words.
            metadata: The trigger's metadata; queue triggers need theirs.
            trace_parent: W3C trace context of the caller; made up when None.
            retry: Which retry of a failed invocation this is; None for none.
        """
        call = Call(
            function_id=function.id,
            invocation_id=str(uuid.uuid4()),
            parameter=function.trigger.parameter,
            value=value,
            metadata=metadata or {},
            trace_parent=trace_parent or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            retry=retry,
        )
        clock = asyncio.get_running_loop()
        started = clock.time()
        log.info("executing function=%s id=%s reason=%r", function.name, call.invocation_id, reason)
        answer = await self._run(function, call)
        error = answer.error
        if error is None:
            error = await self._send_outputs(function, answer)
        _log_end(function, call, answer, error, milliseconds=round((clock.time() - started) * 1000))
        return Invocation(id=call.invocation_id, error=error, response=_http_response(function, answer))

    async def drain(self, patience: timedelta) -> int:
        """Wait for running invocations; cancel those slower than *patience* and answer how many those were."""
        running = set(self._running)
        if not running:
            return 0
        _, late = await asyncio.wait(running, timeout=patience.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=LAST_WORDS.total_seconds())
        return len(late)

    async def _run(self, function: Function, call: Call) -> Answer:
        task = asyncio.create_task(self._worker.run(call), name=f"{function.name} {call.invocation_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._function_timeout.total_seconds())
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            return await self._time_out(task)
        if task.cancelled():
            return Answer(error="CancelledError: the invocation was cancelled", outputs={})
        return task.result()

    async def _time_out(self, task: asyncio.Task[Answer]) -> Answer:
        task.cancel()
        await asyncio.wait({task}, timeout=LAST_WORDS.total_seconds())
        self._worker.replace_threads()
        limit = self._function_timeout
        return Answer(error=f"Timeout: the function exceeded functionTimeout, {limit}, and was given up", outputs={})

    async def _send_outputs(self, function: Function, answer: Answer) -> str | None:
        for output in function.queue_outputs:
            data = answer.return_value if output.parameter == "$return" else answer.outputs.get(output.parameter)
            try:
                await self._outputs.send(output, _queue_messages(data))
            except OutputFailed as error:
                return f"OutputFailed: {error}"
        return None


def _http_response(function: Function, answer: Answer) -> TypedData | None:
    if function.http_output is None:
        return None
    return answer.outputs.get(function.http_output) or answer.return_value


def _queue_messages(data: TypedData | None) -> Sequence[str | bytes]:
    """One message for a text or bytes; one per item for a list, which arrives as JSON."""
    if data is None or data.value is None:
        return ()
    if data.WhichOneof("data") != "json":
        return (data.value if isinstance(data.value, str | bytes) else str(data.value),)
    value = json.loads(data.value)
    items = value if isinstance(value, list) else [value]
    return tuple(_queue_message(item) for item in items)


def _queue_message(item: object) -> str:
    if isinstance(item, dict) and item.keys() == {"id", "body"}:  # azure.functions' form of a func.QueueMessage
        return str(item["body"])
    return item if isinstance(item, str) else json.dumps(item)


def _log_end(function: Function, call: Call, answer: Answer, error: str | None, *, milliseconds: int) -> None:
    if error is None:
        line = "executed function=%s id=%s duration_ms=%d result=succeeded"
        log.info(line, function.name, call.invocation_id, milliseconds)
        return
    line = "executed function=%s id=%s duration_ms=%d result=failed error=%r%s"
    trace = f"\n{answer.stack_trace.rstrip()}" if answer.stack_trace else ""
    log.error(line, function.name, call.invocation_id, milliseconds, error, trace)
