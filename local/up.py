"""
`make up`: the demo, and then everything keeps running until Ctrl-C.

For looking around: another registry can be created with curl, the Azure CLI and azure-ai-ml work against the simulated
Azure, and the app isolates whatever appears.
"""

import argparse
import asyncio
import socket
import sys
import time
from collections.abc import Sequence
from datetime import timedelta

from aiohttp import ClientError

from local.app_user import AppRefused
from local.arm_user import ArmRefused, ArmUser
from local.azurite import AzuriteMissing
from local.demo import SCALE, TIMEOUT, scale_factor, set_up, work_folder
from local.demo_show import Show
from local.demo_story import Story
from local.landing_zone import lay_out
from local.processes import ChildFailed, ended_by_signals
from local.stage import Stage
from local.up_guide import guide

LOOK_AGAIN = timedelta(seconds=1)
HOST_PORT = 7071
"""Of the Functions host, if nobody has it: the one that Core Tools take."""
DASHBOARD = "/api/dashboard"


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.up", description="Keep a simulated Azure and the app running."
    )
    parser.add_argument(
        "--scale", type=scale_factor, default=SCALE, help="factor on Azure's durations; 1 is as recorded"
    )
    parser.add_argument("--port", type=int, default=0, help="of the simulated Azure; 0, the default, takes a free one")
    parser.add_argument("--empty", action="store_true", help="without the demo's registry")
    return parser.parse_args(arguments)


def run(arguments: argparse.Namespace, show: Show, stage_type: type[Stage] = Stage) -> None:
    """Start, play, explain, and keep running; returns only by an exception."""
    host_port = HOST_PORT if is_free(HOST_PORT) else 0
    with (
        work_folder("up") as folder,
        stage_type(folder.path, scale=arguments.scale, port=arguments.port, host_port=host_port) as stage,
    ):
        set_up(stage, show)
        if arguments.empty:
            asyncio.run(_lay_out(stage))
        else:
            _play(stage, show)
        explain(stage, show)
        while True:
            stage.check()
            time.sleep(LOOK_AGAIN.total_seconds())


def explain(stage: Stage, show: Show) -> None:
    """Say where everything is and what can be done with it."""
    places = {
        "dashboard": f"{stage.host.url}{DASHBOARD}",
        "function key for it": stage.host.key,
        "simulated Azure": stage.azure.endpoint,
        "its state": f"{stage.azure.endpoint}/simulator/state",
        "its log": f"{stage.azure.endpoint}/simulator/log",
        "its certificate authority": str(stage.azure.ca),
        "Functions host": stage.host.url,
        "Event Grid webhook": stage.host.webhook,
        "app's log": str(stage.host.child.log),
        "policy": str(stage.folder / "policy.yaml"),
        "Azurite": stage.azurite.connection_string,
    }
    for name, place in places.items():
        show.line(f"{name:>26}  {place}")
    show.line("")
    show.line(guide(stage).text())
    show.line("")
    show.line("Ctrl-C here stops everything.")


def is_free(port: int) -> bool:
    """Nobody listens on *port* of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _lay_out(stage: Stage) -> None:
    async with ArmUser(stage.azure, scale=stage.scale) as user:
        await lay_out(user, stage)


def _play(stage: Stage, show: Show) -> None:
    story = Story(stage, show, timeout=max(TIMEOUT, TIMEOUT * (stage.scale / SCALE)))
    with show:
        ending = asyncio.run(story.play())
    show.before_and_after(story.watched.before, story.watched.now)
    show.verdict(ending.problems, ending.registry)


def main(arguments: Sequence[str], *, stage_type: type[Stage] = Stage) -> int:
    """The program; ends by Ctrl-C, a signal, or the end of a process that should have kept running."""
    try:
        with ended_by_signals():
            run(parse_arguments(arguments), Show(), stage_type)
    except KeyboardInterrupt:
        print("Everything was stopped.", file=sys.stderr)
    except (AppRefused, ArmRefused, AzuriteMissing, ChildFailed, ClientError) as error:
        print(f"It cannot be kept running. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
