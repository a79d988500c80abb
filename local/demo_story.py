"""
What the demo plays: a user makes a network, an event subscription and a registry, and then only watches.

Everything after the registry's PUT is the app's doing, through the real event path. The story shows progress from the
simulated Azure's state and lets `local.demo_verdict` have the last word, which asks Azure and not the app.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from local import demo_verdict, stage_scene
from local.arm_user import ArmUser
from local.demo_act import Act
from local.demo_acts import Acts
from local.demo_show import Show
from local.demo_sight import Sight, news, sight
from local.demo_timeline import Requests, Step, asked_at, requests_of, timeline
from local.landing_zone import lay_out
from local.stage import Stage
from local.stage_scene import API_VERSIONS, APP_PRINCIPAL
from shared.cloud.ledger import TableLedger
from shared.cloud.state_clients import StateAccount
from shared.core.arm import ResourceId
from shared.engine.records import HistoryEntry

NAME = "contoso-models"
LOOK_AGAIN = timedelta(milliseconds=250)
_FINAL = frozenset({"converged", "blocked", "failed", "exempt", "audited", "gone"})
_PATIENCE = timedelta(seconds=15)
"""How long the app may take to say its last word after the last door has closed."""


@dataclass(slots=True, kw_only=True)
class Watched:
    """What was seen from the user's request to the end."""

    before: Sight = field(default_factory=Sight)
    now: Sight = field(default_factory=Sight)
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How it ended; *problems* is empty when the registry is isolated."""

    registry: str
    problems: Sequence[str]
    asked: datetime
    isolated_at: datetime | None
    requests: Requests
    steps: Sequence[Step]
    acts: Sequence[Act] = ()

    @property
    def seconds(self) -> float | None:
        """From the user's request until the last door was seen closed."""
        return None if self.isolated_at is None else round((self.isolated_at - self.asked).total_seconds(), 1)

    def as_json(self) -> dict[str, Any]:
        """The machine's form of it."""
        requests = self.requests
        found: dict[str, Any] = {
            "registry": self.registry,
            "isolated": not self.problems,
            "seconds": self.seconds,
            "arm_requests": {"reads": requests.reads, "writes": requests.writes, "polls": requests.polls},
            "timeline": [
                {
                    "at": round((step.at - self.asked).total_seconds(), 2),
                    "seconds": None if step.seconds is None else round(step.seconds, 2),
                    "what": step.what,
                }
                for step in self.steps
            ],
            "acts": [{"what": act.what, "found_by": act.found_by, "seconds": act.seconds} for act in self.acts],
        }
        return found | ({"problems": list(self.problems)} if self.problems else {})


class Story:
    """
    One run on a stage that is ready.

    Args:
        timeout: Longest time from the user's request to the isolation, and for each act after it.
        acts: Go on after the isolation, with somebody who works against it.
    """

    def __init__(self, stage: Stage, show: Show, *, timeout: timedelta, acts: bool = False) -> None:
        self._stage = stage
        self._show = show
        self._timeout = timeout
        self._acts = acts
        self.registry = stage.azure.scene.registry(NAME)
        self.watched = Watched()

    async def play(self) -> Ending:
        """
        Prepare, create the registry, watch, and judge.

        Raises:
            ArmRefused: Azure refused something to the user.
            ChildFailed: A process of the stage ended.
        """
        stage = self._stage
        ledger = TableLedger(StateAccount(connection_string=stage.azurite.connection_string))
        try:
            async with ArmUser(stage.azure, scale=stage.scale) as user:
                await lay_out(user, stage)
                self._show.say("the network is made, the app's webhook has proved itself to Event Grid")
                await self._create_and_watch(user, ledger)
                found = await demo_verdict.problems(user, stage.azure.scene, self.registry)
                history = await ledger.history(ResourceId.parse(self.registry), 1000)
                ending = await self._ending(user, found, history)
                return ending if found or not self._acts else await self._go_on(user, ending)
        finally:
            await ledger.aclose()

    async def _go_on(self, user: ArmUser, ending: Ending) -> Ending:
        """The acts after the isolation, and another verdict when they are over."""
        said = f"isolated after {ending.seconds:g} s" if ending.seconds is not None else "isolated"
        self._show.say(f"{self.registry.rpartition('/')[2]} is {said}; now somebody works against it", "bold green")
        acts = await Acts(self._stage, self._show, user, self.registry, timeout=self._timeout).play()
        problems = [f"{act.what}: not repaired in time." for act in acts if act.seconds is None]
        problems += await demo_verdict.problems(user, self._stage.azure.scene, self.registry)
        return replace(ending, acts=acts, problems=problems)

    async def _create_and_watch(self, user: ArmUser, ledger: TableLedger) -> None:
        regions = " and ".join(stage_scene.REGIONS)
        self._show.say(f"the user asks for the registry {NAME} in {regions}, and does nothing more", "bold")
        body = stage_scene.registry_body()
        creation = asyncio.create_task(user.put(self.registry, body, API_VERSIONS["registries"]), name="creation")
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._watch(user, ledger, creation)
        except TimeoutError:
            log = self._stage.host.child.log
            self._show.say(f"not done after {self._timeout.total_seconds():g} seconds; the app's log is {log}", "red")
        finally:
            creation.cancel()
            await asyncio.gather(creation, return_exceptions=True)

    async def _watch(self, user: ArmUser, ledger: TableLedger, creation: asyncio.Task[None]) -> None:
        """Look until the app has said its last word, or has been silent for too long after the last door closed."""
        silent_since: datetime | None = None
        while True:
            self._stage.check()
            if creation.done():
                creation.result()
            entry = await ledger.read(ResourceId.parse(self.registry))
            seen = sight(await user.look("state"), self.registry)
            at = datetime.now(UTC)
            self._note(seen, at)
            if entry and entry.row.outcome and entry.row.outcome.kind in _FINAL:
                return
            silent_since = (silent_since or at) if seen.closed else None
            if silent_since is not None and at - silent_since > _PATIENCE:
                return
            await asyncio.sleep(LOOK_AGAIN.total_seconds())

    def _note(self, seen: Sight, at: datetime) -> None:
        for sentence in news(self.watched.now, seen):
            self._show.say(sentence, "green" if sentence.endswith("closed") else "")
            if sentence.startswith(("public access", "the gate", "Azure made")):
                self.watched.steps.append(Step(at=at, what=sentence))
        if seen.managed_group and not self.watched.before.managed_group:
            self.watched.before = seen
        self.watched.now = seen
        self._show.picture(seen)

    async def _ending(self, user: ArmUser, found: Sequence[str], history: Sequence[HistoryEntry]) -> Ending:
        calls = (await user.look("log"))["calls"]
        events = (await user.look("events"))["delivered"]
        asked = asked_at(calls, self.registry)
        seen = self.watched.steps
        closings = [step.at for step in seen if step.what.startswith("public access")]
        return Ending(
            registry=self.registry,
            problems=found,
            asked=asked,
            isolated_at=max(closings) if closings and not found else None,
            requests=requests_of(calls, APP_PRINCIPAL),
            steps=timeline(asked=asked, events=events, registry_id=self.registry, history=history, seen=seen),
        )
