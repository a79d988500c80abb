"""The frame around an invocation: its door is in every line, its host's trace is known, and a start that fails is told."""

import json
import logging
from pathlib import Path

import pytest

from handlers.invocation import composing, invocation
from shared.core.errors import InvalidPolicy, InvalidSettings
from shared.engine.chain import known
from shared.engine.telemetry import Silence, host_links, telemetry
from tests.handlers.decoding import a_context

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_start_that_fails_is_one_line_with_every_problem(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("ISOLATION_PASS_DEADLINE_SECONDS", "soon")
    monkeypatch.setenv("AZURE_CLOUD", "Nimbus")

    with caplog.at_level(logging.ERROR, "registry_isolation"), pytest.raises(InvalidSettings):
        async with invocation(a_context(), "queue"):
            pytest.fail("there are no services")

    (line,) = caplog.messages
    assert line.startswith("start-failed ")
    assert '"door": "queue"' in line
    assert "ISOLATION_PASS_DEADLINE_SECONDS" in line
    assert "AZURE_CLOUD" in line
    assert known() == {}


async def test_a_policy_that_is_invalid_is_told_the_same_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "policy.yaml").write_text("version: 7\n")
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("ISOLATION_POLICY_PATH", str(tmp_path / "policy.yaml"))

    with caplog.at_level(logging.ERROR, "registry_isolation"), composing(a_context(TRACE), "http") as compose:
        assert known() == {"door": "http", "correlation": TRACE[3:35]}
        with pytest.raises(InvalidPolicy):
            await compose()

    (line,) = caplog.messages
    told = json.loads(line.removeprefix("start-failed "))
    assert (told["door"], told["error"], told["correlation"]) == ("http", "InvalidPolicy", TRACE[3:35])
    assert host_links() == ()
    assert isinstance(telemetry(), Silence)
