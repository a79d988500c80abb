"""
`make demo`: a registry is created in a simulated Azure and becomes isolated before your eyes.

Starts Azurite, the simulated Azure and the Functions host with the app in it, plays the story, shows the outcome and
leaves no process behind. The exit status is 0 only if Azure itself says that the registry is isolated.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientError

from local.app_user import AppRefused
from local.arm_user import ArmRefused
from local.azurite import REPOSITORY, AzuriteMissing
from local.demo_show import Show
from local.demo_story import Ending, Story
from local.processes import ChildFailed, ended_by_signals
from local.stage import Stage

SCALE = 0.1
TIMEOUT = timedelta(seconds=120)
DASHBOARD = "http://127.0.0.1:7071/api/dashboard"
"""Where it is under `make up`, if nobody else has that port."""
INTERRUPTED = 130


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description="Watch a registry become isolated.")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument(
        "--scale", type=scale_factor, default=SCALE, help="factor on Azure's durations; 1 is as recorded"
    )
    parser.add_argument("--timeout", type=_seconds, help="seconds from the user's request to the end")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs, settings and data")
    return parser.parse_args(arguments)


def run(arguments: argparse.Namespace, show: Show, stage_type: type[Stage] = Stage) -> int:
    """Play once; answers the exit status."""
    timeout: timedelta = arguments.timeout or max(TIMEOUT, TIMEOUT * (arguments.scale / SCALE))
    with work_folder("demo", keep=arguments.keep) as folder, stage_type(folder.path, scale=arguments.scale) as stage:
        set_up(stage, show)
        story = Story(stage, show, timeout=timeout, acts=True)
        with show:
            ending = asyncio.run(story.play())
        show.before_and_after(story.watched.before, story.watched.now)
        show.timeline(ending.steps, ending.asked)
        show.requests(ending.requests)
        show.acts(ending.acts)
        show.verdict(ending.problems, ending.registry)
        show.line(f"`make up` keeps all of this running, with a dashboard at {DASHBOARD} (or where it says).")
        folder.keep = arguments.keep or bool(ending.problems)
    return report(ending, as_json=arguments.json)


def set_up(stage: Stage, show: Show) -> None:
    """Start everything, saying so."""
    show.say(f"starting the simulated Azure ({stage.scale:g} of the recorded durations) and Azurite")
    stage.start_clouds()
    show.say(f"the simulated Azure is at {stage.azure.endpoint}; starting the Functions host with the app")
    stage.start_host()
    show.say(f"the Functions host is at {stage.host.url}")


def report(ending: Ending, *, as_json: bool) -> int:
    """Print the machine's line where asked for; answers the exit status."""
    if as_json:
        print(json.dumps(ending.as_json()), flush=True)
    return 1 if ending.problems else 0


@dataclass(slots=True)
class WorkFolder:
    """Where a run keeps its data and logs; *keep* may be set while it runs."""

    path: Path
    keep: bool


@contextmanager
def work_folder(name: str, *, keep: bool = False) -> Iterator[WorkFolder]:
    """A new folder under .local, removed at the end; kept when asked for, or when something failed."""
    parent = REPOSITORY / ".local"
    parent.mkdir(exist_ok=True)
    folder = WorkFolder(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent)), keep)
    try:
        yield folder
    except (AppRefused, ArmRefused, ChildFailed, ClientError):
        folder.keep = True
        raise
    finally:
        if folder.keep:
            print(f"Logs, settings and data are in {folder.path}.", file=sys.stderr)
        else:
            shutil.rmtree(folder.path, ignore_errors=True)


def main(arguments: Sequence[str], *, stage_type: type[Stage] = Stage) -> int:
    """The program."""
    try:
        with ended_by_signals():
            return run(parse_arguments(arguments), Show(), stage_type)
    except KeyboardInterrupt:
        print("Interrupted; everything was stopped.", file=sys.stderr)
        return INTERRUPTED
    except (AppRefused, ArmRefused, AzuriteMissing, ChildFailed, ClientError) as error:
        print(f"The demo did not get to its end. {error}", file=sys.stderr)
        return 1


def _seconds(text: str) -> timedelta:
    seconds = float(text)
    if not 0 < seconds < 86_400:
        raise argparse.ArgumentTypeError("must be positive and less than a day")
    return timedelta(seconds=seconds)


def scale_factor(text: str) -> float:
    """The argument of --scale."""
    factor = float(text)
    if not 0.01 <= factor <= 10:
        raise argparse.ArgumentTypeError("must be from 0.01 to 10")
    return factor


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
