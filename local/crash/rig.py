"""
What the crash campaign plays on: Azurite and the simulated Azure behind their gates, and a real host before them.

One rig plays trial after trial; a host that has recovered is the next trial's victim. The rig's own looks at the ledger and
at the queues go past the gates.
"""

import asyncio
import json
import secrets
import sys
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import yaml
from azure.core.exceptions import ResourceNotFoundError

from local.app_user import AppUser
from local.arm_user import AzureAddress
from local.azurite import REPOSITORY, Azurite
from local.crash import verdict, worlds
from local.crash.azure_front import AzureFront
from local.crash.gate import Gate
from local.crash.points import Point, Step, numbered
from local.crash.storage_front import StorageFront
from local.crash.stories import CREATE, Stage, Story
from local.processes import Child, ChildFailed, start
from local.simulator.azure import SUBSCRIPTION
from local.stage import app_settings, clean_environment
from local.stage_scene import APP_PRINCIPAL, Scene
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.core.arm import ResourceId

MESSAGE_LEASE = timedelta(seconds=5)
"""So soon a dead host's messages come back: long enough for a busy machine to renew in time, else living hosts lose them."""
_TAKEN_AGAIN = timedelta(seconds=1.5)
"""After they came back: a host looks once a second."""
QUIET = timedelta(seconds=0.6)
"""Nothing more happens when nothing has happened for so long."""
SETTLED = timedelta(seconds=1.5)
"""No pass is under way any more, even on a busy machine."""
LIMIT = timedelta(seconds=100)
"""Longer than every claim and lease that a dead host may leave behind."""
_READY_WITHIN = timedelta(seconds=60)
_LOOK_AGAIN = 0.05
_TRIES = 3
_SETTLING_LOOKS = 20
_QUEUES = ("registry-work", "registry-work-outcomes")
_POISON = ("registry-work-poison", "registry-work-outcomes-poison")
_NEVER = "0 0 3 1 1 *"
"""The sweep must not help: once a year, at night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    What came of one story.

    Attributes:
        points: Where the host was to be killed; none for the story in which nobody is.
        met: The story came by all of them.
        recovered: From the last kill to the end of the work; None without a kill.
        ending: What was left.
        steps: The host's steps until it was quiet.
        problems: What is wrong, a sentence each, before it is compared with anything.
        crowded: The machine was so busy that a living host lost a message to another delivery of it. Two passes of one
            message may both write, whoever was killed, so repeated writes say nothing.
    """

    points: tuple[Point, ...]
    met: bool
    recovered: timedelta | None
    ending: verdict.Ending
    steps: tuple[Step, ...]
    problems: tuple[str, ...]
    crowded: bool = False


class Rig:
    """
    One stage for many trials; an async context manager.

    Args:
        folder: Of its own; holds settings, logs and keys.
        azurite: Running; nobody else may use it.
        scale: Factor on Azure's durations.
        label: Part of the registries' names.
        lease: How long a dead host keeps its messages.
        story: What every trial is about.
    """

    def __init__(
        self,
        folder: Path,
        azurite: Azurite,
        *,
        scale: float,
        label: str = "a",
        lease: timedelta = MESSAGE_LEASE,
        story: Story = CREATE,
    ) -> None:
        self.folder = folder
        self.gate = Gate()
        self._azurite = azurite
        self._scale = scale
        self._label = label
        self._lease = lease
        self._story = story
        self._count = 0
        self._header = secrets.token_urlsafe(24)
        self._ending = AsyncExitStack()
        self._webhook = ""
        self._port = 0
        self.host: Child

    async def __aenter__(self) -> Self:
        self.front = AzureFront(self._world(), folder=self.folder, gate=self.gate, app=APP_PRINCIPAL)
        await self.front.start()
        self._ending.push_async_callback(self.front.stop)
        self.storage = await self._ending.enter_async_context(StorageFront(self._azurite, self.gate))
        self._account = StateAccount(connection_string=self._azurite.connection_string)
        self._ledger = TableLedger(self._account)
        self._ending.push_async_callback(self._ledger.aclose)
        self._ending.callback(lambda: self.host.kill() if hasattr(self, "host") else None)
        await self._start_host()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._ending.aclose()

    async def play(self, *points: Point) -> Trial:
        """
        Play until a trial was not crowded, three times at most.

        Raises:
            ChildFailed: The host ended by itself.
        """
        for _ in range(_TRIES):
            trial = await self._play(points)
            if not trial.crowded:
                break
        return trial

    async def _play(self, points: tuple[Point, ...]) -> Trial:
        """
        Let the story happen in a new world, kill the host at each of *points*, start another one, and wait until all is quiet.

        Raises:
            ChildFailed: The host ended by itself, or did not even isolate the registry.
        """
        self._count += 1
        name = f"crash-{self._label}-{self._count}"
        await self._clear()
        await self.front.change_world(self._world())
        if self._story.isolated:
            await self._isolate(name)
        logged, lost = len(self.front.azure.log), self.storage.lost
        self.gate.open(points, self._kill)
        in_time = await self._tell(self._story, name)
        ended = self.gate.last
        struck, unmet = self.gate.struck_at, self.gate.unmet
        self.gate.close()
        problems = [] if in_time else [f"It was not done within {LIMIT.total_seconds():g} s: {await self._said(name)}."]
        problems += await self._poison()
        azure = self.front.azure
        return Trial(
            points=points,
            met=not unmet,
            recovered=None if struck is None else timedelta(seconds=ended - struck),
            ending=verdict.ending_of(azure, name, logged, self._story.problems(azure, name)),
            steps=tuple(numbered(self.gate.kinds)),
            problems=tuple(problems),
            crowded=self.storage.lost > lost,
        )

    async def _isolate(self, name: str) -> None:
        """What comes before the story; nobody is killed yet, and no message of it is left."""
        self.gate.open((), self._kill)
        if not await self._tell(CREATE, name):
            raise ChildFailed(f"{name} was not isolated: {await self._said(name)}.\n{self.host.log_tail()}")
        await self._clear()

    async def _tell(self, story: Story, name: str) -> bool:
        """Let it happen; whether all is done and quiet in time."""
        acting = asyncio.create_task(story.act(Stage(front=self.front, app=self._app, name=name)))
        try:
            return await self._until_quiet(name, story, acting)
        finally:
            acting.cancel()
            with suppress(asyncio.CancelledError):
                await acting

    # --- the host -----------------------------------------------------------------------------------------------------

    async def _start_host(self) -> None:
        folder = self.folder / "host"
        command = [sys.executable, "-m", "local.host", "--app", str(REPOSITORY), "--port", str(self._port)]
        command += ["--settings", str(self._settings(folder)), "--data", str(folder / "data")]
        command += ["--message-lease", f"{self._lease.total_seconds():g}"]
        self.host = start(
            command, name="host", folder=folder, environment=clean_environment(), working_directory=REPOSITORY
        )
        ready = json.loads(await self._first_line())
        self._port = urlsplit(ready["url"]).port or 0
        self._app = AppUser(ready["url"], ready["keys"]["function"], folder)
        self._webhook = next(each["url"] for each in ready["functions"] if each["trigger"] == "eventGridTrigger")

    def _kill(self) -> None:
        """Whichever runs: after a kill it is another one."""
        self.host.kill()

    async def _first_line(self) -> str:
        """Without blocking the loop, on which Azure's time passes."""
        deadline = time.monotonic() + _READY_WITHIN.total_seconds()
        while "\n" not in (said := self.host.output.read_text(errors="replace")):
            if not self.host.running or time.monotonic() > deadline:
                raise ChildFailed(f"The host did not get ready.\n{self.host.log_tail()}")
            await asyncio.sleep(_LOOK_AGAIN)
        return said.partition("\n")[0]

    def _settings(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        policy = self.folder / "policy.yaml"
        policy.write_text(yaml.safe_dump(worlds.policy(), sort_keys=False))
        address = AzureAddress(
            endpoint=self.front.endpoint,
            ca=self.front.ca_file,
            identity_endpoint=self.front.identity_endpoint,
            identity_header=self._header,
            scene=Scene(subscription=SUBSCRIPTION),
        )
        storage = replace(self._azurite, ports=self.storage.ports).connection_string
        values = app_settings(storage=storage, azure=address, scale=self._scale, policy=policy)
        path = folder / "local.settings.json"
        path.write_text(
            json.dumps({"IsEncrypted": False, "Values": values | {"ISOLATION_SWEEP_SCHEDULE": _NEVER}}, indent=2)
        )
        path.chmod(0o600)
        return path

    # --- one trial ----------------------------------------------------------------------------------------------------

    def _world(self) -> Any:
        return worlds.build(worlds.Scenery(webhook=self._webhook, header=self._header, scale=self._scale))

    async def _until_quiet(self, name: str, story: Story, acting: asyncio.Task[None]) -> bool:
        deadline = time.monotonic() + LIMIT.total_seconds()
        restarts = 0
        while time.monotonic() < deadline:
            if self.gate.strikes > restarts:
                restarts += 1
                await self._start_host()
            elif not self.host.running:
                raise ChildFailed(f"The host ended by itself.\n{self.host.log_tail()}")
            if acting.done() and await self._is_done(name, story) and self._silence() > QUIET:
                return True
            self._hurry()
            await asyncio.sleep(_LOOK_AGAIN)
        return False

    def _hurry(self) -> None:
        """Event Grid's pauses after a host that was not there are no part of the measurement."""
        if self.host.running and self._silence() > QUIET:
            self.front.hurry()

    def _silence(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self.gate.last)

    async def _is_done(self, name: str, story: Story) -> bool:
        """Said, told, and every message that a dead host held has come back and been worked off."""
        if self.front.azure.next_due() is not None or not self.front.has_told_all:
            return False
        entry = await self._ledger.read(ResourceId.parse(worlds.registry_id(name)))
        if entry is None or entry.row.outcome is None or entry.row.outcome.kind != story.ends:
            return False
        if entry.row.sequence == 0:  # still the answer to an earlier request
            return False
        if entry.row.claim is not None or entry.row.outbox:
            return False
        back = (self._lease + _TAKEN_AGAIN).total_seconds()
        if self.gate.struck_at is not None and time.monotonic() - self.gate.struck_at < back:
            return False
        return not await self._work_waits()

    async def _said(self, name: str) -> str:
        entry = await self._ledger.read(ResourceId.parse(worlds.registry_id(name)))
        if entry is None:
            return "the ledger does not know the registry"
        return f"{entry.row.outcome}, claim {entry.row.claim}, {len(entry.row.outbox)} events not told"

    async def _poison(self) -> list[str]:
        found = []
        for queue in _POISON:
            async with self._account.queue(queue) as client:
                with suppress(ResourceNotFoundError):
                    count = (await client.get_queue_properties()).approximate_message_count or 0
                    found += [f"{queue} holds {count} messages."] if count else []
        return found

    async def _work_waits(self) -> bool:
        """A message could be taken now and has not been."""
        for queue in _QUEUES:
            async with self._account.queue(queue) as client:
                with suppress(ResourceNotFoundError):
                    if await client.peek_messages():
                        return True
        return False

    async def _clear(self) -> None:
        """No message of an earlier trial concerns this one: a second look after a closing comes minutes later."""
        await self._delete_messages()
        for _ in range(_SETTLING_LOOKS):  # a look that has just begun would go on in the next world
            rest = (SETTLED - self._silence()).total_seconds()
            if rest <= 0:
                return
            await asyncio.sleep(rest)

    async def _delete_messages(self) -> None:
        for queue in (*_QUEUES, *_POISON):
            async with self._account.queue(queue) as client:
                with suppress(ResourceNotFoundError):
                    await client.clear_messages()
