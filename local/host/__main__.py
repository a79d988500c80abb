"""
`python -m local.host --app DIR`: run a function app here.

Prints one JSON line `{"url", "keys", "functions", "pid"}` when the app is served; everything after that, what functions
print included, goes to standard error. Ends on SIGTERM or Ctrl-C after running invocations have finished; a second one
ends it at once. Exit status 1 means that the app could not be served, with the reason on standard error.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import IO

from local.host.app_settings import SettingsProblem
from local.host.functions import UnsupportedApp
from local.host.host import Host, Options, PortUnusable
from local.host.host_json import InvalidHostJson
from local.host.keys import InvalidKeys
from local.host.logs import UnknownLogLevel
from local.host.worker import AppNotLoaded

_LONGEST = 86_400
"""Seconds."""
_SAID_IN_SENTENCES = (
    AppNotLoaded,
    UnsupportedApp,
    InvalidHostJson,
    SettingsProblem,
    InvalidKeys,
    UnknownLogLevel,
    PortUnusable,
    OSError,
)


def parse_arguments(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Run an Azure Functions app locally.")
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py and host.json")
    parser.add_argument("--port", type=_port, default=0, help="TCP port on loopback; 0, the default, takes a free one")
    parser.add_argument("--settings", type=Path, help="a local.settings.json; the environment wins over it")
    parser.add_argument("--data", type=Path, required=True, help="folder for keys and timers; created if missing")
    parser.add_argument("--keys", type=Path, help="a key file; default: keys.json in the data folder, made if missing")
    parser.add_argument("--grace", type=_seconds, default=timedelta(seconds=10), help="seconds to finish when stopped")
    parser.add_argument(
        "--message-lease",
        type=_seconds,
        default=timedelta(seconds=15),
        help="seconds until a dead host's messages return",
    )
    given = parser.parse_args(arguments)
    return Options(
        app=given.app.resolve(),
        data=given.data.resolve(),
        port=given.port,
        settings=given.settings.resolve() if given.settings else None,
        keys=given.keys.resolve() if given.keys else None,
        grace=given.grace,
        message_lease=given.message_lease,
    )


async def serve(options: Options, ready: IO[str]) -> int:
    """Run the host until a signal; answers the exit status."""
    host = Host(options)
    loop = asyncio.get_running_loop()
    asked = False

    def leave(number: signal.Signals) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        host.ask_to_stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave, number)
    try:
        line = await host.start()
    except _SAID_IN_SENTENCES as error:
        print(f"The app cannot be served. {error}", file=sys.stderr)
        return 1
    with ready:
        print(json.dumps(line), file=ready, flush=True)
    try:
        await host.wait()
    finally:
        await host.stop()
    return 0


def main() -> None:
    options = parse_arguments(sys.argv[1:])
    ready = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what functions print is log, not answer
    try:
        status = asyncio.run(serve(options, ready))
    except Exception:
        logging.getLogger("host").critical("the host itself broke", exc_info=True)
        status = 1
    logging.shutdown()
    sys.stderr.flush()
    os._exit(status)  # not sys.exit(): a synchronous function that never returns would keep its thread, and us, alive


def _port(text: str) -> int:
    if not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError("must be from 0 to 65535")
    return int(text)


def _seconds(text: str) -> timedelta:
    seconds = float(text)
    if not 0 < seconds <= _LONGEST:
        raise argparse.ArgumentTypeError(f"must be positive and at most {_LONGEST}")
    return timedelta(seconds=seconds)


if __name__ == "__main__":
    main()
