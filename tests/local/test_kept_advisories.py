"""Advisories that were kept say what they know, of when, and nothing of anything else."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.dependency_audit import CLEAN, UNCHECKED, VULNERABLE, main

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
SOUND = {"name": "tenacity", "version": "9.1.2", "vulns": []}
ILL = {"name": "Jinja2", "version": "2.11.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.11.3"], "aliases": []}]}
NPM = {"metadata": {"dependencies": {"total": 4}}, "vulnerabilities": {}}


def nobody(command: Sequence[str]) -> str:
    raise AssertionError(f"{command} was run")


def a_project(folder: Path, *pins: str) -> Path:
    (folder / "requirements.txt").write_text("\n".join(f"{pin} \\\n    --hash=sha256:00" for pin in pins) + "\n")
    (folder / "package-lock.json").write_text("{}\n")
    return folder


def keep(folder: Path, *packages: object) -> Path:
    """What a look with a network leaves."""

    def answers(command: Sequence[str]) -> str:
        return json.dumps(NPM) if command[0] == "npm" else json.dumps({"dependencies": packages})

    main(["--keep", str(folder / "kept.json")], run=answers, root=folder, now=NOW)
    return folder / "kept.json"


def look(folder: Path, file: Path, now: datetime = LATER) -> int:
    return main(["--kept", str(file)], run=nobody, root=folder, now=now)


def test_what_was_kept_is_asked_without_a_network_and_tells_its_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = keep(a_project(tmp_path, "tenacity==9.1.2"), SOUND)
    capsys.readouterr()

    assert look(tmp_path, kept) == CLEAN
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Advisories as the package indexes served them at 2026-01-02 03:04 UTC.",
        "requirements.txt: 1 packages looked up, 0 advisories",
    ]


def test_an_advisory_that_was_kept_is_found_however_its_package_is_spelt(tmp_path: Path) -> None:
    kept = keep(a_project(tmp_path, "jinja2[i18n]==2.11.0"), ILL)

    assert look(tmp_path, kept) == VULNERABLE
    assert look(tmp_path, kept, NOW + timedelta(days=400)) == VULNERABLE


def test_a_version_that_nobody_looked_up_is_unchecked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = keep(a_project(tmp_path, "tenacity==9.1.2"), SOUND)
    a_project(tmp_path, "tenacity==9.1.2", "pyyaml==6.0.3")

    assert look(tmp_path, kept) == UNCHECKED
    assert "UNCHECKED   pyyaml: version 6.0.3 was not looked up at 2026-01-02" in capsys.readouterr().out


def test_another_lock_file_is_unchecked(tmp_path: Path) -> None:
    kept = keep(a_project(tmp_path, "tenacity==9.1.2"), SOUND)
    (tmp_path / "package-lock.json").write_text('{"packages": {}}\n')

    assert look(tmp_path, kept) == UNCHECKED


@pytest.mark.parametrize("now", [NOW + timedelta(days=32), NOW - timedelta(minutes=1)])
def test_old_advisories_and_those_of_tomorrow_say_nothing_about_today(tmp_path: Path, now: datetime) -> None:
    kept = keep(a_project(tmp_path, "tenacity==9.1.2"), SOUND)

    assert look(tmp_path, kept, now) == UNCHECKED


def test_what_could_not_be_looked_up_then_is_not_kept_as_sound(tmp_path: Path) -> None:
    kept = keep(a_project(tmp_path, "tenacity==9.1.2"), {"name": "tenacity", "skip_reason": "no route"})

    assert look(tmp_path, kept) == UNCHECKED


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": "yesterday"}', "[" * 100_000, None])
def test_a_file_that_keeps_nothing_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "kept.json").write_text(text)

    with pytest.raises(SystemExit, match="2"):
        look(tmp_path, tmp_path / "kept.json")
