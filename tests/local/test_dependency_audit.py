"""The audit of dependencies never takes silence for health."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.dependency_audit import (
    CLEAN,
    UNCHECKED,
    VULNERABLE,
    Audited,
    audit,
    main,
    read_npm_audit,
    read_pip_audit,
    run,
    told,
    verdict,
)

SOUND = {"name": "tenacity", "version": "9.1.2", "vulns": []}
ILL = {"name": "jinja2", "version": "2.11.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.11.3"], "aliases": []}]}
SKIPPED = {"name": "pyyaml", "skip_reason": "not found and could not be audited"}
NPM = {"metadata": {"dependencies": {"total": 4}}, "vulnerabilities": {}}


def pip(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_what_was_looked_up_and_is_sound_is_clean() -> None:
    results = [read_pip_audit("requirements.txt", pip(SOUND)), read_npm_audit(json.dumps(NPM))]

    assert [each.checked for each in results] == [1, 4]
    assert verdict(results) == CLEAN
    assert "UNCHECKED" not in told(results, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def test_an_advisory_is_told_with_its_cure_and_weighs_more_than_a_gap() -> None:
    result = read_pip_audit("requirements.txt", pip(ILL, SKIPPED))

    assert verdict([result]) == VULNERABLE
    assert result.vulnerabilities == ("jinja2 2.11.0: PYSEC-1, fixed in 2.11.3",)


@pytest.mark.parametrize(
    "result",
    [
        read_pip_audit("requirements.txt", pip(SOUND, SKIPPED)),
        read_pip_audit("requirements.txt", pip()),
        read_pip_audit("requirements.txt", ""),
        read_pip_audit("requirements.txt", "Traceback: no route to host"),
        read_npm_audit('{"message": "request failed", "error": {"summary": ""}}'),
        read_npm_audit("[]"),
    ],
)
def test_whatever_could_not_be_looked_up_is_a_gap_and_no_success(result: Audited) -> None:
    assert verdict([result]) == UNCHECKED
    assert "UNCHECKED" in told([result], datetime(2026, 1, 2, tzinfo=UTC))


def test_where_no_advisories_can_be_had_nothing_else_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\nb==2\n")
    (tmp_path / "requirements-tools.txt").write_text("c==3\n")
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> str:
        asked.append(command)
        return pip(SKIPPED)

    assert verdict(audit(tmp_path, run)) == UNCHECKED
    assert [command[-1] for command in asked] == ["requirements-tools.txt", "--json"]


def test_every_file_is_asked_about_where_advisories_can_be_had(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\nb==2\n")
    (tmp_path / "requirements-tools.txt").write_text("c==3\n")

    def run(command: Sequence[str]) -> str:
        return json.dumps(NPM) if command[0] == "npm" else pip(SOUND)

    results = audit(tmp_path, run)

    assert [each.file for each in results] == ["requirements-tools.txt", "requirements.txt", "package-lock.json"]
    assert verdict(results) == CLEAN


def test_the_command_ends_with_its_verdict_and_says_when_it_asked(capsys: pytest.CaptureFixture[str]) -> None:
    def answers(command: Sequence[str]) -> str:
        return json.dumps(NPM) if command[0] == "npm" else pip(SOUND)

    assert main([], run=answers) == CLEAN
    assert capsys.readouterr().out.startswith("Advisories as the package indexes served them at 20")

    assert main([], run=lambda _: "no route to host") == UNCHECKED
    assert "UNCHECKED   npm got no advisories: no route to host" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "printed"),
    [
        ("import sys; print('[1]'); print('a warning', file=sys.stderr); sys.exit(1)", "[1]\n"),
        ("import sys; sys.exit('it broke')", "it broke\n"),
    ],
)
def test_a_command_that_fails_is_heard_all_the_same(code: str, printed: str) -> None:
    assert run([sys.executable, "-I", "-S", "-c", code]) == printed


def test_a_command_that_is_not_there_is_what_could_not_be_looked_up() -> None:
    result = read_npm_audit(run(["/no/such/npm", "audit"]))

    assert verdict([result]) == UNCHECKED
    assert "No such file or directory: '/no/such/npm'" in result.unchecked[0]
