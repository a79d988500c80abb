"""`python -m local.simulator` when it cannot start."""

import socket
from pathlib import Path

import pytest

from local.simulator.__main__ import main


def test_a_port_that_somebody_else_has_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["--port", str(other.getsockname()[1]), "--ca-folder", str(tmp_path)]) == 1
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith("the simulated Azure could not start: ")
    assert "address already in use" in told


@pytest.mark.parametrize("content", ["{", '{"resources": [{"id": "contoso"}]}'])
def test_a_seed_that_is_no_world_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    seed = tmp_path / "seed.json"
    seed.write_text(content, encoding="utf-8")
    assert main(["--seed", str(seed)]) == 1
    assert "the simulated Azure could not start" in capsys.readouterr().err
