import asyncio
import contextlib
import json
import logging
from datetime import timedelta

import pytest

from local.host.functions import QueueOutput
from local.host.protos import RpcHttp, TypedData
from local.host.worker import Answer, Call
from tests.local.host.doubles import KeptOutputs, ScriptedWorker, a_queue_function, an_http_function, an_invoker, fail

pytestmark = pytest.mark.virtual_time

TEXT = TypedData(string="text")
DONE = QueueOutput(parameter="out", queue="done", connection_string="")


async def test_a_function_gets_its_value_its_metadata_and_a_trace_context() -> None:
    worker = ScriptedWorker()

    invocation = await an_invoker(worker).invoke(
        a_queue_function(), TEXT, reason="a test", metadata={"Id": TEXT}, trace_parent="00-a-b-01"
    )

    assert invocation.succeeded
    assert worker.calls == [
        Call(
            function_id="work-id",
            invocation_id=invocation.id,
            parameter="message",
            value=TEXT,
            metadata={"Id": TEXT},
            trace_parent="00-a-b-01",
        )
    ]


async def test_a_raised_exception_is_a_failed_invocation_and_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "host.invocation")

    invocation = await an_invoker(ScriptedWorker(fail)).invoke(a_queue_function(), TEXT, reason="a test")

    assert invocation.error == "RuntimeError: as scripted"
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == f"executing function=work id={invocation.id} reason='a test'"
    assert lines[1].splitlines() == [
        f"executed function=work id={invocation.id} duration_ms=0 result=failed error='RuntimeError: as scripted'",
        "Traceback: as scripted",
    ]


async def test_a_function_that_exceeds_its_timeout_is_cancelled_and_has_failed() -> None:
    cleaned = asyncio.Event()

    async def sleep(_call: Call) -> Answer:
        try:
            await asyncio.sleep(3600)
        finally:
            cleaned.set()
        return Answer(outputs={})

    worker = ScriptedWorker(sleep)
    invocation = await an_invoker(worker, seconds=300).invoke(a_queue_function(), TEXT, reason="a test")

    assert invocation.error == "Timeout: the function exceeded functionTimeout, 0:05:00, and was given up"
    assert asyncio.get_running_loop().time() == 300
    assert cleaned.is_set()
    assert worker.threads_replaced == 1


async def test_a_function_that_ignores_its_cancellation_holds_nobody_up() -> None:
    released = asyncio.Event()

    async def stubborn(_call: Call) -> Answer:
        while not released.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await released.wait()
        return Answer(outputs={})

    invocation = await an_invoker(ScriptedWorker(stubborn), seconds=2).invoke(a_queue_function(), TEXT, reason="a test")

    assert not invocation.succeeded
    assert asyncio.get_running_loop().time() == 3  # two seconds and its last word
    released.set()


async def test_a_function_that_cancels_itself_has_failed() -> None:
    async def cancel(_call: Call) -> Answer:
        raise asyncio.CancelledError

    invocation = await an_invoker(ScriptedWorker(cancel)).invoke(a_queue_function(), TEXT, reason="a test")

    assert invocation.error == "CancelledError: the invocation was cancelled"


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (TypedData(string="one"), ["one"]),
        (TypedData(string='["still", "one"]'), ['["still", "one"]']),
        (TypedData(bytes=b"\xff"), [b"\xff"]),
        (TypedData(json=json.dumps(["a", {"n": 1}, {"id": None, "body": "b"}])), ["a", '{"n": 1}', "b"]),
        (TypedData(json=json.dumps({"id": "x", "body": "c"})), ["c"]),
        (TypedData(), []),
    ],
)
async def test_a_queue_output_becomes_messages(data: TypedData, messages: list[str | bytes]) -> None:
    async def put(_call: Call) -> Answer:
        return Answer(outputs={"out": data})

    outputs = KeptOutputs()
    await an_invoker(ScriptedWorker(put), outputs=outputs).invoke(
        a_queue_function(outputs=(DONE,)), TEXT, reason="a test"
    )

    assert outputs.sent == [("done", message) for message in messages]


async def test_a_failed_function_sends_nothing() -> None:
    async def put_and_fail(_call: Call) -> Answer:
        return Answer(error="RuntimeError: late", outputs={"out": TEXT})

    outputs = KeptOutputs()
    await an_invoker(ScriptedWorker(put_and_fail), outputs=outputs).invoke(
        a_queue_function(outputs=(DONE,)), TEXT, reason="a test"
    )

    assert outputs.sent == []


async def test_an_output_that_cannot_be_sent_fails_the_invocation() -> None:
    async def put(_call: Call) -> Answer:
        return Answer(outputs={"out": TEXT})

    outputs = KeptOutputs()
    outputs.broken = True
    invocation = await an_invoker(ScriptedWorker(put), outputs=outputs).invoke(
        a_queue_function(outputs=(DONE,)), TEXT, reason="a test"
    )

    assert invocation.error == "OutputFailed: the queue is gone"


async def test_the_http_output_is_the_response() -> None:
    http = TypedData(http=RpcHttp(status_code="200"))

    async def respond(_call: Call) -> Answer:
        return Answer(return_value=http, outputs={})

    invocation = await an_invoker(ScriptedWorker(respond)).invoke(an_http_function("f", "f"), TEXT, reason="a test")

    assert invocation.response is http


async def test_draining_waits_for_what_finishes_and_cancels_the_rest() -> None:
    async def sleep(call: Call) -> Answer:
        await asyncio.sleep(5 if call.value is TEXT else 500)
        return Answer(outputs={})

    invoker = an_invoker(ScriptedWorker(sleep))
    quick = asyncio.create_task(invoker.invoke(a_queue_function(), TEXT, reason="a test"))
    slow = asyncio.create_task(invoker.invoke(a_queue_function(), TypedData(string="slow"), reason="a test"))
    await asyncio.sleep(0)

    late = await invoker.drain(timedelta(seconds=10))

    assert late == 1
    assert (await quick).succeeded
    assert not (await slow).succeeded
    assert asyncio.get_running_loop().time() == 10


async def test_draining_nothing_takes_no_time() -> None:
    assert await an_invoker(ScriptedWorker()).drain(timedelta(seconds=10)) == 0
    assert asyncio.get_running_loop().time() == 0
