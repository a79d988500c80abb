"""One run of the campaign: play the case, wait until it is quiet, and hold the app to its promises."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.campaign import promises
from local.campaign.cases import Case, Injection, Place
from local.campaign.house import StormHouse
from local.campaign.kinds import EVENTS, Kind
from local.campaign.promises import kind_of, rightly_blocked
from local.campaign.stories import PLOTS
from local.campaign.weather import AppCall
from local.house import as_id
from local.virtual_time import run_virtual
from shared.core.report import Outcome

DAY = timedelta(days=1)
_HANDED_OVER = timedelta(hours=4)
"""Longer than any operation of a case is stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """
    What came of one case.

    Attributes:
        problems: Promises that were broken, a sentence each; () is good.
        calls: The app's calls until it was quiet, in order.
        store_calls: Those to its own storage.
        struck: What really went wrong.
        blocked: It ended with a person meanwhile, for the right reason.
        swept: Only a sweep brought it to its end.
        recovery: From the end of the last fault to the end of the work; None where nothing struck.
    """

    case: Case
    problems: tuple[str, ...]
    calls: tuple[AppCall, ...] = ()
    store_calls: tuple[str, ...] = ()
    struck: tuple[Injection, ...] = ()
    blocked: bool = False
    swept: bool = False
    recovery: timedelta | None = None


def attempt(
    case: Case, house_type: type[StormHouse] = StormHouse, crossroads: Callable[[Place], Case | None] | None = None
) -> Trial:
    """
    Run *case* in virtual time of its own; equal cases run equally, the pauses before retries included.

    Args:
        crossroads: Asked at every place which other case is played from there on, None for none.
    """
    before = random.getstate()
    random.seed(f"{case.story}:{case.seed}")  # not by its faults, so that all cases of a world begin alike
    try:
        return run_virtual(_Attempt(house_type(case, crossroads)).run())
    finally:
        random.setstate(before)


class _Attempt:
    def __init__(self, house: StormHouse) -> None:
        self.house = house
        self.plot = PLOTS[house.case.story]
        self.problems: list[str] = []

    async def run(self) -> Trial:
        self.plot.arrange(self.house)
        async with self.house:
            await self.plot.prepare(self.house)
            self.house.let_loose()
            await self.plot.act(self.house)
            await self._quiet()
            azure = self.house.azure
            calls, store_calls, ended = tuple(azure.calls), tuple(azure.store_calls), await self._ended()
            outcomes = await self.house.outcomes()
            blocked = any(rightly_blocked(each, azure.struck) for each in outcomes)
            swept = not self._done(outcomes)
            if swept:
                ended = await self._sweep(outcomes)
            await self._hold()
        return Trial(
            case=self.house.case,
            problems=tuple(self.problems),
            calls=calls,
            store_calls=store_calls,
            struck=self._struck(),
            blocked=blocked,
            swept=swept,
            recovery=self._recovery(ended),
        )

    async def _quiet(self) -> None:
        if not await self.house.live(self.house.quiet, DAY):
            self.problems.append(f"it was not quiet after a day: {await self.house.outcomes()}")

    def _done(self, outcomes: list[Outcome | None]) -> bool:
        """Whether the app says that it is at the end, and is."""
        said = all(kind_of(each) == self.plot.wanted for each in outcomes)
        return said and not (self.plot.isolated and promises.isolation(self.house))

    async def _ended(self) -> datetime:
        """When it came to its end: the queue is quiet only later, as what was planned before comes up and is dropped."""
        ends = []
        for registry in self.house.registries_of_story:
            told = await self.house.ledger.told(as_id(registry))
            ends += [entry.at for entry in told if entry.kind == "outcome" and entry.result == self.plot.wanted][:1]
        return max(ends, default=self.house.clock.now())

    # --- when a person or the timer has to help ---------------------------------------------------------------------------

    async def _sweep(self, outcomes: list[Outcome | None]) -> datetime:
        """What the app left is lifted, and the timer's sweep must finish it; the moment at which it had."""
        for outcome in outcomes:
            if kind_of(outcome) != self.plot.wanted and not self._excused(outcome):
                self.problems.append(f"it ended {outcome}, not {self.plot.wanted}")
        if all(kind_of(each) == self.plot.wanted for each in outcomes) and not self._unheard():
            self.problems += [f"although it is said to be {self.plot.wanted}: {each}" for each in self._open()]
        self.house.lift()
        await self.house.live(self.house.after(_HANDED_OVER), DAY)
        self.house.azure.calm_since = self.house.clock.now()
        await self.house.fire_timer()
        await self._quiet()
        return await self._ended()

    def _open(self) -> list[str]:
        return promises.isolation(self.house) if self.plot.isolated else []

    def _excused(self, outcome: Outcome | None) -> bool:
        if rightly_blocked(outcome, self.house.azure.struck):
            return True
        return self._unheard() and kind_of(outcome) == ("converged" if self.plot.prepared else "unknown")

    def _unheard(self) -> bool:
        """
        Whether nobody could know: events were lost, or a read after the event showed the state before it.

        A registry is then found by the sweep.
        """
        return any(each.kind in {Kind.EVENT_DROPPED, Kind.STALE} for each in self.house.case.injections)

    # --- promises -------------------------------------------------------------------------------------------------------

    async def _hold(self) -> None:
        house, plot = self.house, self.plot
        house.lift()
        struck = self._struck()
        self.problems += house.azure.watch.violations
        if plot.isolated:
            self.problems += promises.isolation(house)
        if plot.wanted == "paused":
            self.problems += promises.restored(house)
        self.problems += promises.endpoint_count(house, plot.endpoints)
        self.problems += promises.neighbours(house, let_in=plot.endpoints > 0)
        self.problems += promises.ways_out(house)
        self.problems += promises.orphans(house)
        self.problems += promises.nothing_left(house)
        self.problems += await promises.remembered(house, plot.wanted)
        self.problems += await promises.rightly_told(house, struck)
        await self._writes_nothing()

    async def _writes_nothing(self) -> None:
        """The pass after the last one has nothing to do."""
        house = self.house
        before = len(house.azure.log)
        for registry in house.registries_of_story:
            await house.ask(as_id(registry).text)
        await self._quiet()
        written = [f"{call.method} {call.url.split('?')[0]}" for call in house.writes(before) if call.method != "POST"]
        kinds = [kind_of(each) for each in await house.outcomes()]
        if written or kinds != [self.plot.wanted] * len(kinds):
            self.problems.append(f"the pass after the last one wrote {written} and ended {kinds}")

    # --- figures --------------------------------------------------------------------------------------------------------

    def _struck(self) -> tuple[Injection, ...]:
        events = [each for each in self.house.case.injections if each.kind in EVENTS]
        return (*self.house.azure.struck, *events)

    def _recovery(self, ended: datetime) -> timedelta | None:
        calm = self.house.azure.calm_since
        return max(ended - calm, timedelta()) if calm is not None else None
