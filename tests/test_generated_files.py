"""What is generated into docs/ is what its own command prints."""

import sys
from pathlib import Path

import pytest

from tests.started import run

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "file"), [("shared.core.policy_schema", "policy.schema.json"), ("handlers.openapi", "openapi.json")]
)
def test_the_command_of_a_generated_file_prints_it(module: str, file: str) -> None:
    command = [sys.executable, "-m", module]

    printed = run(command, cwd=ROOT, timeout=60).stdout

    assert printed == (ROOT / "docs" / file).read_text("utf-8")
