"""The demo as its user starts it: one command, one outcome, and nothing left behind."""

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local.playing import descendants, living, program, until, work_folder

pytestmark = pytest.mark.slow

SCALE = "0.03"
"""Fast, and still slow enough that Azure's operations take longer than a look at them."""
LONGEST = timedelta(minutes=4)
"""A quarter of that where nothing else runs; the suite runs beside it on the same two cores."""
HOST_IS_UP = "the Functions host is at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    status: int
    text: str
    left: set[int]
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """One whole demo."""
    output = tmp_path_factory.mktemp("demo") / "output"
    with program("local.demo", "--json", "--scale", SCALE, output=output) as process:
        until(lambda: HOST_IS_UP in output.read_text() or process.poll() is not None)
        children = descendants(process.pid)
        folder = work_folder(children)
        until(lambda: process.poll() is not None, within=LONGEST)
        yield Played(status=process.returncode, text=output.read_text(), left=living(children), folder=folder)


def test_the_demo_ends_with_an_isolated_registry(played: Played) -> None:
    assert played.status == 0, played.text
    document = played.document
    assert document["isolated"] is True
    assert document["registry"].endswith("/providers/Microsoft.MachineLearningServices/registries/contoso-models")
    assert set(document) == {"registry", "isolated", "seconds", "arm_requests", "timeline", "acts"}


def test_whatever_is_opened_afterwards_is_found_and_closed_again(played: Played) -> None:
    assert [act["found_by"] for act in played.document["acts"]] == ["event", "sweep", "person"]
    assert all(act["seconds"] > 0 for act in played.document["acts"])


def test_the_commands_that_a_person_would_type_are_shown_without_the_key(played: Played) -> None:
    commands = [line.partition("$ ")[2] for line in played.text.splitlines() if "$ curl" in line]

    asked = ('/api/sweeps"', '/plan"', '/remediate?wait=60"', '/history?limit=14"')
    assert [command.rpartition(" ")[2].endswith(end) for command, end in zip(commands, asked, strict=True)] == [
        True
    ] * 4
    assert all('-H "x-functions-key: $KEY"' in command for command in commands)
    assert "disable public network access of acr" in played.text
    assert "History, newest first" in played.text


def test_listeners_are_told_of_isolation_and_drift(played: Played) -> None:
    told = [
        line.partition("RegistryIsolation.")[2].split()[0] for line in played.text.splitlines() if "whoever" in line
    ]

    assert told[:3] == ["Isolated", "Drifted", "Isolated"]
    assert set(told) == {"Isolated", "Drifted"}


def test_the_app_writes_exactly_what_is_necessary(played: Played) -> None:
    requests = played.document["arm_requests"]
    endpoints, zones = 4, 3
    assert requests["writes"] == 2 * endpoints + 2 * zones + 1  # with groups, links, and the registry's closing
    assert requests["reads"] > 0


def test_the_timeline_tells_the_path_in_its_order(played: Played) -> None:
    steps = [step["what"] for step in played.document["timeline"]]
    moments = [step["at"] for step in played.document["timeline"]]
    order = [
        "the user asks for the registry",
        "Event Grid delivers the registry's event",
        "create private endpoint",
        "attach privatelink",
        "the gate opens",
        "disable public network access of registry",
        "public access of container registry",
    ]
    places = [next(at for at, step in enumerate(steps) if step.startswith(part)) for part in order]
    assert places == sorted(places)
    assert moments == sorted(moments)
    assert round(moments[-1], 1) >= played.document["seconds"] > 0  # told to a tenth of a second


def test_progress_is_plain_lines_where_nobody_watches(played: Played) -> None:
    assert "\x1b[" not in played.text
    for part in ("found container registry", "is approved at", "record ", "the gate opens", "is closed", "Isolated:"):
        assert part in played.text


def test_the_demo_leaves_no_process_and_no_folder(played: Played) -> None:
    assert played.left == set()
    assert not played.folder.exists()


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with program("local.demo", "--scale", SCALE, output=output) as process:
        until(lambda: HOST_IS_UP in output.read_text())
        children = descendants(process.pid)
        folder = work_folder(children)
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None)
        assert len(children) >= 3
        assert living(children) == set()
        assert process.returncode == 130
        assert "Interrupted; everything was stopped." in output.read_text()
        assert "Traceback" not in output.read_text()
    assert not folder.exists()


def test_even_a_killed_demo_leaves_no_process(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with program("local.demo", "--scale", SCALE, output=output) as process:
        until(lambda: HOST_IS_UP in output.read_text())
        children = descendants(process.pid)
        folder = work_folder(children)
        process.kill()
        process.wait()
        assert len(children) >= 3
        until(lambda: not living(children))
        shutil.rmtree(folder)
