"""
checkov's checks of infra/, run by `make infra-check`: half a minute and a hundred packages, so not in every test run.

checkov says nothing of a file that its own parser cannot read, and passes; here that fails.
"""

import json
from pathlib import Path
from typing import Any

from tests.infra.bicep import INFRA, files
from tests.started import run

CHECKOV = INFRA.parent / ".local" / "checkov" / "bin" / "checkov"


def results(folder: Path) -> dict[str, Any]:
    command = [str(CHECKOV), "-d", str(folder), "--config-file", str(INFRA / "checkov.yaml"), "--output", "json"]
    done = run(command, check=False, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_file_is_read_and_no_check_fails() -> None:
    found = results(INFRA)

    assert found["results"]["parsing_errors"] == []
    assert [(one["check_id"], one["resource"]) for one in found["results"]["failed_checks"]] == []
    assert found["summary"]["passed"] > len(files())


def test_a_key_that_is_let_in_again_is_found(tmp_path: Path) -> None:
    topic = (INFRA / "modules" / "outcomes.bicep").read_text()
    (tmp_path / "outcomes.bicep").write_text(topic.replace("disableLocalAuth: true", "disableLocalAuth: false"))

    failed = results(tmp_path)["results"]["failed_checks"]

    assert [one["check_id"] for one in failed] == ["CKV_AZURE_192"]
