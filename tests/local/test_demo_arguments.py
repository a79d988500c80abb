"""Arguments of the demo and of `make up`, and what becomes of their work folders."""

from datetime import timedelta
from pathlib import Path

import pytest

from local import up
from local.arm_user import ArmRefused
from local.demo import parse_arguments, report, work_folder
from local.demo_story import Ending
from local.demo_timeline import Requests, Step
from tests.virtual_time import EPOCH


@pytest.mark.parametrize("scale", ["0", "11", "-1", "fast", "nan"])
def test_a_scale_that_is_no_scale_is_refused(scale: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse_arguments(["--scale", scale])
    assert refused.value.code == 2
    assert "--scale" in capsys.readouterr().err


@pytest.mark.parametrize("timeout", ["0", "-5", "nan", "100000"])
def test_a_timeout_that_never_ends_or_never_begins_is_refused(timeout: str) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--timeout", timeout])


def test_the_defaults_play_at_a_tenth_and_keep_nothing() -> None:
    given = parse_arguments([])
    assert (given.scale, given.timeout, given.keep, given.json) == (0.1, None, False, False)
    assert parse_arguments(["--timeout", "7.5"]).timeout == timedelta(seconds=7.5)
    assert up.parse_arguments(["--empty", "--port", "8443"]).port == 8443


def test_a_work_folder_goes_with_its_demo(capsys: pytest.CaptureFixture[str]) -> None:
    with work_folder("demo") as folder:
        assert folder.path.is_dir()
    assert not folder.path.exists()
    assert capsys.readouterr().err == ""


def test_a_work_folder_stays_when_asked_for() -> None:
    with work_folder("demo", keep=True) as folder:
        pass
    folder.path.rmdir()


def test_a_work_folder_stays_when_the_registry_was_not_isolated() -> None:
    with work_folder("demo") as folder:
        folder.keep = True
    folder.path.rmdir()


def test_a_work_folder_stays_when_something_failed_and_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[Path] = []

    def fail() -> None:
        with work_folder("demo") as folder:
            made.append(folder.path)
            raise ArmRefused("no")

    with pytest.raises(ArmRefused):
        fail()
    assert capsys.readouterr().err == f"Logs, settings and data are in {made[0]}.\n"
    made[0].rmdir()


def ending(*problems: str) -> Ending:
    isolated = None if problems else EPOCH + timedelta(seconds=31.25)
    return Ending(
        registry="/r",
        problems=problems,
        asked=EPOCH,
        isolated_at=isolated,
        requests=Requests(reads=3, writes=2, polls=1),
        steps=(Step(at=EPOCH + timedelta(seconds=1), what="made", seconds=0.456),),
    )


def test_the_machines_line_has_its_members_and_exit_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ending(), as_json=True) == 0
    assert capsys.readouterr().out == (
        '{"registry": "/r", "isolated": true, "seconds": 31.2, "arm_requests": {"reads": 3, "writes": 2, "polls": 1}, '
        '"timeline": [{"at": 1.0, "seconds": 0.46, "what": "made"}], "acts": []}\n'
    )


def test_a_registry_that_is_not_isolated_is_exit_status_1_with_its_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ending("It is open."), as_json=True) == 1
    line = capsys.readouterr().out
    assert '"isolated": false, "seconds": null' in line
    assert '"problems": ["It is open."]' in line


def test_nobody_asked_for_json_and_none_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ending("It is open."), as_json=False) == 1
    assert capsys.readouterr().out == ""
