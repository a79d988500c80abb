"""
Run the simulated Azure's HTTPS front alone: `python -m local.simulator`.

Prints one JSON line {"endpoint", "ca", "identity_endpoint", "identity_header", "subscription"} when it is ready and
serves until SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from local.simulator import seed
from local.simulator.azure import SimulatedAzure
from local.simulator.clouds import CLOUDS
from local.simulator.durations import Durations
from local.simulator.options import Options
from local.simulator.server import SimulatorServer


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description="A simulated Azure over HTTPS.")
    parser.add_argument("--port", type=int, default=0, help="port on the loopback interface; default: a free one")
    parser.add_argument("--seed", type=Path, help="JSON document with the world to start from")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on all durations; 0.1 is ten times as fast")
    parser.add_argument(
        "--ca-folder", type=Path, help="where ca.pem is written; default: a folder that goes with the program"
    )
    parser.add_argument("--cloud", choices=sorted(CLOUDS), default="AzureCloud", help="zones and suffixes")
    parser.add_argument("--random", type=int, default=0, help="source of generated names and ids")
    return parser.parse_args(given)


def _azure(arguments: argparse.Namespace) -> SimulatedAzure:
    azure = SimulatedAzure(
        seed=arguments.random,
        start=datetime.now(UTC),
        cloud=arguments.cloud,
        durations=Durations().scaled(arguments.scale),
        options=Options(graph_lag=Options().graph_lag * arguments.scale),
    )
    azure.identity_header = secrets.token_urlsafe(24)
    if arguments.seed is not None:
        seed.load(azure, json.loads(arguments.seed.read_text()))
    return azure


async def _serve(arguments: argparse.Namespace, folder: Path) -> None:
    azure = _azure(arguments)
    server = SimulatorServer(azure, ca_folder=folder, port=arguments.port)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, ended.set)
    await server.start()
    ready = {
        "endpoint": server.endpoint,
        "ca": str(server.ca_file),
        "identity_endpoint": server.identity_endpoint,
        "identity_header": azure.identity_header,
        "subscription": next(iter(azure.subscriptions.values())),
    }
    print(json.dumps(ready), flush=True)
    try:
        await ended.wait()
    finally:
        await server.stop()


def main(given: Sequence[str] | None = None) -> int:
    """Serve; 1 when the seed cannot be read or the port is somebody else's."""
    arguments = _arguments(given)
    try:
        with tempfile.TemporaryDirectory(prefix="simulated-azure-") as own:
            asyncio.run(_serve(arguments, arguments.ca_folder or Path(own)))
    except (OSError, ValueError) as problem:
        print(f"the simulated Azure could not start: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
