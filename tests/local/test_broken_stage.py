"""What `make demo` and `make up` say where their stage does not stand: why, and where the logs are."""

import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from local import demo, up
from local.azurite import AzuriteMissing
from local.processes import ChildFailed
from local.stage import Stage

STARTING = (demo.main, up.main)


class EndingStage(Stage):
    """Its simulated Azure ends at once."""

    def start_clouds(self) -> None:
        self.folder.joinpath("azure.log").write_text("no room")
        raise ChildFailed("azure ended with exit status 1.\nno room")


class StageWithoutAzurite(Stage):
    def start_clouds(self) -> None:
        raise AzuriteMissing("Azurite is not installed; run `npm ci`.")


class InterruptedStage(Stage):
    """Somebody presses Ctrl-C while it starts."""

    def start_clouds(self) -> None:
        signal.raise_signal(signal.SIGINT)


class TerminatedStage(Stage):
    def start_clouds(self) -> None:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize(
    ("main", "sentence"),
    [(demo.main, "The demo did not get to its end."), (up.main, "It cannot be kept running.")],
)
def test_a_process_that_ended_is_told_with_its_last_words_and_the_logs_are_kept(
    main: Callable[..., int], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], stage_type=EndingStage) == 1

    kept, *told = capsys.readouterr().err.splitlines()
    folder = Path(kept.removeprefix("Logs, settings and data are in ").removesuffix("."))
    assert (folder / "azure.log").read_text() == "no room"
    assert told == [f"{sentence} azure ended with exit status 1.", "no room"]
    shutil.rmtree(folder)


@pytest.mark.parametrize("main", STARTING)
def test_a_missing_azurite_is_told_with_its_remedy(
    main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], stage_type=StageWithoutAzurite) == 1
    assert capsys.readouterr().err.endswith(" Azurite is not installed; run `npm ci`.\n")


@pytest.mark.parametrize(
    ("main", "status", "sentence"),
    [(demo.main, 130, "Interrupted; everything was stopped.\n"), (up.main, 0, "Everything was stopped.\n")],
)
def test_ctrl_c_is_no_failure_and_leaves_no_folder(
    main: Callable[..., int], status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], stage_type=InterruptedStage) == status
    assert capsys.readouterr().err == sentence  # and no folder is named


@pytest.mark.parametrize("main", STARTING)
def test_a_termination_ends_with_the_status_that_shells_give_it(main: Callable[..., int]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([], stage_type=TerminatedStage)
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_port_that_somebody_has_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not up.is_free(port)
    assert up.is_free(port)
