"""Traces and metrics of a local app as text: trees, what is new, and how listening ends."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from local.otlp_sink import QUIET_SECONDS, OtlpSink, SeenSpan, main, watch
from tests.local.playing import program, until

MS = 1_000_000


def a_span(name: str, identity: str, parent: str = "", *, trace: str = "t1", **changed: object) -> SeenSpan:
    members = {"begun": 0, "ended": 5 * MS, "failed": False, "links": (), "attributes": {}}
    return SeenSpan(name=name, trace=trace, id=identity, parent=parent, **members | changed)  # type: ignore[arg-type]


def test_a_trace_is_a_tree_in_the_order_of_time() -> None:
    sink = OtlpSink()
    told = {"isolation.outcome": "blocked", "isolation.registry": "left out", "http.response.status_code": "403"}
    sink.spans = [
        a_span("arm", "c", "b", begun=20 * MS, ended=22 * MS, failed=True, attributes=told),
        a_span("ledger", "d", "a", begun=30 * MS, ended=30 * MS + 500_000),
        a_span("pass", "b", "a", begun=10 * MS, ended=40 * MS),
        a_span("request", "a", "nobody we know", ended=50 * MS),
        a_span("timer", "x", trace="t2", begun=7 * MS, ended=8 * MS),
    ]

    assert list(sink.trees()) == [
        "trace t1",
        "  request  +0 ms  50.0 ms",
        "    pass  +10 ms  30.0 ms",
        "      arm  +20 ms  2.0 ms  outcome=blocked http.response.status_code=403  FAILED",
        "    ledger  +30 ms  0.5 ms",
        "trace t2",
        "  timer  +0 ms  1.0 ms",
    ]


@pytest.mark.virtual_time
async def test_a_trace_is_printed_once_when_it_has_been_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    sink = OtlpSink()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch(sink))
        sink.spans.append(a_span("first", "a"))
        await asyncio.sleep(QUIET_SECONDS / 2)
        sink.spans.append(a_span("second", "b", "a"))
        await asyncio.sleep(QUIET_SECONDS)
        assert capsys.readouterr().out == ""  # something came meanwhile
        sink.metrics = {"passes": {"outcome=blocked": 1, "outcome=converged": 2.5}}

        await asyncio.sleep(QUIET_SECONDS)
        assert capsys.readouterr().out.splitlines() == [
            "trace t1",
            "  first  +0 ms  5.0 ms",
            "    second  +0 ms  5.0 ms",
            "passes{outcome=blocked} 1",
            "passes{outcome=converged} 2.5",
        ]

        await asyncio.sleep(QUIET_SECONDS * 3)
        assert capsys.readouterr().out == ""
        watching.cancel()


def test_a_port_that_somebody_has_is_told_with_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1

    told = capsys.readouterr().err
    assert told.startswith(f"It cannot listen on port {port}: ")
    assert "address already in use" in told


@pytest.mark.parametrize("port", ["-1", "70000"])
def test_a_port_that_is_none_is_told_with_exit_status_1(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", port]) == 1
    assert f"It cannot listen on port {port}: " in capsys.readouterr().err


@pytest.mark.slow
def test_it_says_where_it_listens_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with program("local.otlp_sink", "--port", "0", output=output) as process:
        until(lambda: "listening: OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" in output.read_text())
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None)

    assert process.returncode == 0
    assert "Traceback" not in output.read_text()
