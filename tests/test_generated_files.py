"""What is generated into docs/ is what its own command prints."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "file"), [("shared.core.policy_schema", "policy.schema.json"), ("handlers.openapi", "openapi.json")]
)
def test_the_command_of_a_generated_file_prints_it(module: str, file: str) -> None:
    command = [sys.executable, "-m", module]

    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603 -- our own modules

    assert printed == (ROOT / "docs" / file).read_text("utf-8")
