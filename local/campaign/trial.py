"""One run of the campaign: play the case, wait until it is quiet, and hold the app to its promises."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from local.campaign.cases import EVENTS, Case, Injection, Kind, Story
from local.campaign.house import StormHouse
from local.campaign.weather import AppCall
from local.house import as_id
from local.simulator import scenery
from local.verdict import unisolated
from local.virtual_time import run_virtual
from shared.core.naming import REGISTRY_TAG
from shared.core.report import BlockedOutcome, Outcome

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
_BLOCKS = {Kind.REFUSED: "DeniedByPolicy", Kind.STUCK: "StuckOperation"}
"""Faults that may, as long as they last, end with a person, and the reason that must then be given."""
_HANDED_OVER = 4 * 60 * MINUTE
"""Longer than any operation of a case is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    What came of one case.

    Attributes:
        problems: Promises that were broken, a sentence each; () is good.
        calls: The app's calls until it was quiet, in order.
        struck: What really went wrong.
        blocked: It ended with a person meanwhile, for the right reason.
        swept: Only a sweep brought it to its end.
        recovery: From the end of the last fault to the end of the work; None where nothing struck.
    """

    case: Case
    problems: tuple[str, ...]
    calls: tuple[AppCall, ...]
    struck: tuple[Injection, ...]
    blocked: bool
    swept: bool
    recovery: timedelta | None


def attempt(case: Case) -> Trial:
    """Run *case* in virtual time of its own."""
    return run_virtual(_Attempt(case).run())


class _Attempt:
    def __init__(self, case: Case) -> None:
        self.case = case
        self.house = StormHouse(case)
        self.problems: list[str] = []
        self.registry = scenery.registry_id(self.house.scene.registries_group, "contoso")
        self.wanted = "converged" if case.story is Story.CREATE else "gone"

    async def run(self) -> Trial:
        async with self.house:
            await self._play()
            await self._quiet()
            calls, ended = tuple(self.house.azure.calls), await self._ended()
            outcome = await self._outcome()
            blocked = _right_block(outcome, self.house.azure.struck)
            swept = _kind(outcome) != self.wanted
            if swept:
                ended = await self._sweep(outcome, excused=blocked or self._unheard(outcome))
            await self._hold()
        return Trial(
            case=self.case,
            problems=tuple(self.problems),
            calls=calls,
            struck=self._struck(),
            blocked=blocked,
            swept=swept,
            recovery=self._recovery(ended),
        )

    async def _play(self) -> None:
        house = self.house
        if self.case.story is Story.CREATE:
            house.let_loose()
            scenery.put_registry(house.azure, "contoso", now=house.now())
            return
        scenery.put_registry(house.azure, "contoso", now=house.now())
        await self._quiet()
        house.let_loose()
        scenery.send(house.azure, "DELETE", self.registry, api_version=scenery.REGISTRY_API)

    async def _quiet(self) -> None:
        if not await self.house.live(lambda: self.house.quiet(self.registry), DAY):
            self.problems.append(f"it was not quiet after a day: {await self._outcome()}")

    async def _outcome(self) -> Outcome | None:
        row = await self.house.row(self.registry)
        return row.outcome if row else None

    async def _ended(self) -> datetime:
        """When it came to its end: the queue is quiet only later, as what was planned before comes up and is dropped."""
        told = await self.house.told(self.registry)
        ends = (entry.at for entry in told if entry.kind == "outcome" and entry.result == self.wanted)
        return next(ends, self.house.clock.now())

    def _unheard(self, outcome: Outcome | None) -> bool:
        """Whether its events were lost, so that nobody could know: a registry is then found by the sweep."""
        dropped = any(each.kind is Kind.EVENT_DROPPED for each in self.case.injections)
        return dropped and (outcome is None or (self.case.story is Story.DELETE and _kind(outcome) == "converged"))

    async def _sweep(self, outcome: Outcome | None, *, excused: bool) -> datetime:
        """What the app left is lifted, and the timer's sweep must finish it; the moment at which it had."""
        if not excused:
            self.problems.append(f"it ended {outcome}, not {self.wanted}")
        self.house.lift()
        await self.house.live(self.house.after(_HANDED_OVER), DAY)
        self.house.azure.calm_since = self.house.clock.now()
        await self.house.sweep()
        await self._quiet()
        found = await self._outcome()
        if _kind(found) != self.wanted:
            self.problems.append(f"after the sweep it is {found}, not {self.wanted}")
        return await self._ended()

    # --- promises -------------------------------------------------------------------------------------------------------

    async def _hold(self) -> None:
        house = self.house
        house.lift()
        self.problems += house.azure.violations
        self.problems += [f"a bug: {bug}" for bug in house.bugs()]
        lets_in = house.rules()
        if self.case.story is Story.CREATE:
            self.problems += unisolated(house.azure, self.registry)
            self.problems += self._count(3)
            if lets_in.count(self.registry.lower()) != 1:
                self.problems.append(f"the workspace's storage lets in {lets_in}")
        else:
            self.problems += self._count(0)
            if self.registry.lower() in lets_in:
                self.problems.append("the rule of the deleted registry is still there")
        self.problems += self._orphans()
        await self._writes_nothing()

    def _count(self, wanted: int) -> list[str]:
        names = [endpoint.name for endpoint in self.house.endpoints()]
        return [] if len(names) == wanted else [f"there are {len(names)} endpoints, not {wanted}: {', '.join(names)}"]

    def _orphans(self) -> list[str]:
        """What bears the app's tag for a registry that is not there."""
        world = self.house.azure.world
        tagged = {each.id: (each.body.get("tags") or {}).get(REGISTRY_TAG) for each in self.house.endpoints()}
        return [f"{key} is an orphan of {owner}" for key, owner in tagged.items() if owner and not world.get(owner)]

    async def _writes_nothing(self) -> None:
        """The pass after the last one has nothing to do."""
        before = len(self.house.azure.log)
        await self.house.ask(as_id(self.registry).text)
        await self._quiet()
        written = [f"{call.method} {call.url.split('?')[0]}" for call in self.house.writes(before)]
        found = await self._outcome()
        if written or _kind(found) != self.wanted:
            self.problems.append(f"the pass after the last one wrote {written} and ended {found}")

    # --- figures --------------------------------------------------------------------------------------------------------

    def _struck(self) -> tuple[Injection, ...]:
        events = [each for each in self.case.injections if each.kind in EVENTS]
        return (*self.house.azure.struck, *events)

    def _recovery(self, ended: datetime) -> timedelta | None:
        calm = self.house.azure.calm_since
        return max(ended - calm, timedelta()) if calm is not None else None


def _kind(outcome: Outcome | None) -> str:
    return outcome.kind if outcome is not None else "unknown"


def _right_block(outcome: Outcome | None, struck: list[Injection]) -> bool:
    names = {_BLOCKS[each.kind] for each in struck if each.kind in _BLOCKS}
    return isinstance(outcome, BlockedOutcome) and any(reason.name in names for reason in outcome.reasons)
