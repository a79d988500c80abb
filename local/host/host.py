"""
The host put together: start, serve until told to stop, stop in order.

Start: read what the app and its settings say, refuse what cannot be honoured, then listen. Stop: take nothing new, let
running invocations finish, give unfinished messages back, close.
"""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from local.host.admin import Admin
from local.host.app_settings import AppSettings, SettingsProblem, read_local_settings
from local.host.functions import EventGridTrigger, Function, HttpTrigger, QueueTrigger, TimerTrigger, describe
from local.host.host_json import HostJson, read_host_json
from local.host.http_functions import MAX_BODY_BYTES
from local.host.invocations import Invoker
from local.host.keys import Keys, load_or_create_keys
from local.host.logs import start_log
from local.host.queue_listener import POISON, QueueListener
from local.host.queues import QueueOutputs, StorageQueues
from local.host.singleton import Singleton
from local.host.timers import TimerFile, TimerListener
from local.host.web_front import WEBHOOK, WebFront
from local.host.worker import Worker

log = logging.getLogger("host")

LAST_LOOK = timedelta(seconds=1)
"""How long a look at a queue that is under way may still take when the host stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line."""

    app: Path
    """The folder of function_app.py and host.json."""
    data: Path
    """Where keys and timers are remembered."""
    port: int = 0
    """0 lets the kernel choose."""
    settings: Path | None = None
    """A local.settings.json; None means the environment alone."""
    keys: Path | None = None
    """A key file; None means `keys.json` in the data folder, created if missing."""
    grace: timedelta = timedelta(seconds=10)
    """How long running invocations may take to finish when the host is told to stop."""
    message_lease: timedelta = timedelta(seconds=15)
    """How long a message stays hidden when the host dies while working on it."""


class Host:
    """One app, running: `start`, then `wait`, then `stop`."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._worker = Worker()
        self._queues = StorageQueues()
        self._queue_listeners: list[QueueListener] = []
        self._timers: list[TimerListener] = []
        self._singleton: Singleton | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._stop_asked = asyncio.Event()

    async def start(self) -> Mapping[str, Any]:
        """
        Load the app and serve it. Answers the content of the ready line.

        Raises:
            ValueError, RuntimeError, OSError: It cannot be served. The host's own reasons (AppNotLoaded,
                UnsupportedApp, InvalidHostJson, SettingsProblem, InvalidKeys, UnknownLogLevel) are sentences.
        """
        options = self._options
        host_json = read_host_json(options.app / "host.json", _given(options) | os.environ)
        start_log(host_json.log_level, self._worker.current_invocation)
        if host_json.without_effect:
            log.info("host.json has settings without effect here: %s", ", ".join(host_json.without_effect))
        door = _open_port(options.port)
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        settings = load_settings(options, url)
        os.chdir(options.app)  # where the worker in Azure works, too
        functions = _enabled(describe(await self._worker.load(options.app), settings), settings)
        options.data.mkdir(parents=True, exist_ok=True)
        keys = load_or_create_keys(options.keys or options.data / "keys.json")
        self._invoker = Invoker(
            worker=self._worker,
            outputs=QueueOutputs(self._queues, host_json.queues.message_encoding, sent=self._message_sent),
            function_timeout=host_json.function_timeout,
        )
        front = WebFront(
            functions=functions,
            keys=keys,
            invoker=self._invoker,
            admin=Admin(functions=functions, invoker=self._invoker),
            route_prefix=host_json.route_prefix,
            max_body_bytes=settings.number("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", default=MAX_BODY_BYTES),
        )
        await self._open(door, front)
        self._listen(functions, host_json)
        return _ready(url, functions, keys, host_json)

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        self._stop_asked.set()

    async def wait(self) -> None:
        """Return when asked to stop; raise when a listener breaks, which is a defect of this host."""
        asked = asyncio.create_task(self._stop_asked.wait())
        done, _ = await asyncio.wait({asked, *self._work}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Take nothing new, let running invocations finish within the grace, give the rest back."""
        log.info("stopping")
        clock = asyncio.get_running_loop()
        deadline = clock.time() + self._options.grace.total_seconds()
        for timer in self._timers:
            timer.stop()
        for listener in self._queue_listeners:
            listener.stop()
        await self._site.stop()
        await asyncio.gather(*(listener.finish(self._options.grace) for listener in self._queue_listeners))
        late = await self._invoker.drain(timedelta(seconds=max(0.0, deadline - clock.time())))
        if late:
            log.warning("%d invocations did not finish in time and were cancelled", late)
        await self._runner.cleanup()
        _, stuck = await asyncio.wait(self._work, timeout=LAST_LOOK.total_seconds()) if self._work else (set(), set())
        for task in stuck:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._singleton is not None:
            self._singleton.close()
        await self._queues.close()

    async def _open(self, door: socket.socket, front: WebFront) -> None:
        self._runner = web.AppRunner(front.application(), access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        self._site = web.SockSite(self._runner, door)
        await self._site.start()

    def _listen(self, functions: tuple[Function, ...], host_json: HostJson) -> None:
        notes = TimerFile(self._options.data / "timers.json")
        for function in functions:
            match function.trigger:
                case QueueTrigger():
                    listener = self._queue_listener(function, function.trigger, host_json)
                    self._queue_listeners.append(listener)
                    self._work.add(asyncio.create_task(listener.run(), name=f"queue trigger of {function.name}"))
                case TimerTrigger():
                    timer = TimerListener(
                        function,
                        function.trigger,
                        notes=notes,
                        invoker=self._invoker,
                        now=lambda: datetime.now(UTC),
                        rng=random.Random(),
                    )
                    self._timers.append(timer)
                case HttpTrigger() | EventGridTrigger():
                    pass  # served by the web front
        if self._timers:
            self._singleton = Singleton(self._options.data / "timers.lock")
            self._work.add(asyncio.create_task(self._run_timers(self._singleton), name="timers"))

    async def _run_timers(self, singleton: Singleton) -> None:
        await singleton.acquire()
        async with asyncio.TaskGroup() as group:
            for timer in self._timers:
                group.create_task(timer.run())

    def _queue_listener(self, function: Function, trigger: QueueTrigger, host_json: HostJson) -> QueueListener:
        poison = None
        if not trigger.queue.endswith(POISON):
            poison = self._queues.queue(trigger.connection_string, trigger.queue + POISON)
        return QueueListener(
            function,
            queue=self._queues.queue(trigger.connection_string, trigger.queue),
            poison_queue=poison,
            options=host_json.queues,
            invoker=self._invoker,
            lease=self._options.message_lease,
            rng=random.Random(),
        )

    def _message_sent(self, queue_name: str) -> None:
        for listener in self._queue_listeners:
            if listener.queue_name == queue_name:
                listener.notify()


class PortUnusable(RuntimeError):
    """The port asked for is taken, or not ours to take."""


def load_settings(options: Options, url: str) -> AppSettings:
    """
    Put the app's settings into the environment, which wins over the file, which wins over the platform's own.

    Raises:
        SettingsProblem: The file cannot be used, or is for another language.
    """
    from_file = _given(options)
    known = {name.lower() for name in os.environ}
    hidden = sorted(name for name in from_file if name.lower() in known)
    if hidden:
        log.info("the environment wins over the settings file: %s", ", ".join(hidden))
    platform = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "AzureWebJobsScriptRoot": str(options.app),
        "WEBSITE_HOSTNAME": url.removeprefix("http://"),
    }
    for name, value in (from_file | {k: v for k, v in platform.items() if k not in from_file}).items():
        if name.lower() not in known:
            os.environ[name] = value
    language = os.environ["FUNCTIONS_WORKER_RUNTIME"]
    if language.lower() != "python":
        raise SettingsProblem(f"FUNCTIONS_WORKER_RUNTIME is {language!r}; this host runs python only.")
    return AppSettings(os.environ)


def _given(options: Options) -> dict[str, str]:
    return read_local_settings(options.settings) if options.settings is not None else {}


def _open_port(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise PortUnusable(f"The port {port} on 127.0.0.1 cannot be used: {error.strerror}.") from error


def _enabled(functions: tuple[Function, ...], settings: AppSettings) -> tuple[Function, ...]:
    """Those that no app setting `AzureWebJobs.NAME.Disabled` (or `AzureWebJobs_NAME_Disabled`) turns off."""
    disabled = {
        function.name
        for function in functions
        for setting in (f"AzureWebJobs.{function.name}.Disabled", f"AzureWebJobs_{function.name}_Disabled")
        if settings.get(setting, "").strip().lower() in {"true", "1"}
    }
    if disabled:
        log.info("disabled by app settings: %s", ", ".join(sorted(disabled)))
    return tuple(function for function in functions if function.name not in disabled)


def _ready(url: str, functions: tuple[Function, ...], keys: Keys, host_json: HostJson) -> dict[str, Any]:
    prefix = f"{url}/{host_json.route_prefix}".rstrip("/")
    described = []
    for function in functions:
        entry: dict[str, Any] = {"name": function.name, "trigger": function.kind}
        match function.trigger:
            case HttpTrigger() as trigger:
                entry |= {"url": f"{prefix}/{trigger.route.template}", "methods": sorted(trigger.methods)}
            case EventGridTrigger():
                entry["url"] = f"{url}{WEBHOOK}?functionName={function.name}&code={keys.eventgrid_extension}"
            case QueueTrigger() as trigger:
                entry["queue"] = trigger.queue
            case TimerTrigger() as trigger:
                entry["schedule"] = trigger.schedule.expression
        described.append(entry)
    return {"url": url, "keys": dict(keys.as_dict()), "functions": described, "pid": os.getpid()}
