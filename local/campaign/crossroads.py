"""
Cases of one story in one world begin alike: their beginning is lived once, and forked where a case begins to differ.

A run in which nothing has gone wrong yet is the run in which nothing goes wrong, whatever the case has in store. So one
process plays the story on a calm day, and at every place where something is to go wrong it makes a copy of itself, which
plays the case to its end and says what came of it. Virtual time stands still meanwhile.
"""

import asyncio
import os
import pickle
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NoReturn

from local.campaign.cases import Case, Injection, Place
from local.campaign.kinds import EVENTS, STORE, Kind
from local.campaign.trial import Trial, attempt
from local.die_with_parent import bind_to_parent

type Tell = Callable[[Trial], None]
_AT_ONCE = EVENTS | {Kind.STALE}
"""What makes a difference before it strikes: events are disturbed on their way, and old states must be kept to be shown."""


class Crossroads:
    """
    Where cases leave.

    Args:
        cases: Of one story in one world.
        tell: Is told what came of each that has left.
        patience: Seconds of computing for one case.
    """

    def __init__(self, cases: Sequence[Case], tell: Tell, patience: float) -> None:
        self.case: Case | None = None
        """In a copy: what it plays."""
        self._left = list(cases)
        self._tell = tell
        self._patience = patience
        self._line = -1

    def __call__(self, place: Place) -> Case | None:
        """The case that is played from here on, in its copy; None on the calm day, once all that leave here are over."""
        if self.case is not None:
            return None
        for case in [each for each in self._left if place in places_of(each)]:
            self._left.remove(case)
            if self._leaves(case):
                return case
        if not self._left:
            os._exit(0)  # nobody needs the rest of the calm day
        return None

    def _leaves(self, case: Case) -> bool:
        """Whether this is the copy; on the calm day, return once the copy has ended."""
        loop = asyncio.get_running_loop()
        theirs, ours = os.pipe()
        process = fork(self._patience)
        if not process:
            os.close(theirs)
            asyncio._set_running_loop(loop)  # noqa: SLF001 -- a copy forgets that it is in the middle of one
            self.case, self._line = case, ours
            return True
        os.close(ours)
        with os.fdopen(theirs, "rb") as line:
            answer = line.read()
        _, status = os.waitpid(process, 0)
        self._tell(pickle.loads(answer) if answer else _silent(case, status, self._patience))  # noqa: S301 -- our own copy
        signal.setitimer(signal.ITIMER_PROF, self._patience)
        return False

    def answer(self, trial: Trial) -> None:
        """Say what came of the case that the copy has played."""
        with os.fdopen(self._line, "wb") as line:
            pickle.dump(trial, line)


def places_of(case: Case) -> set[Place]:
    """Where *case* may begin to differ from a run in which nothing goes wrong; it does at the first of them."""
    if not case.injections or any(_differs_at_once(each) for each in case.injections):
        return {Place("loose")}
    return {Place("store" if each.kind in STORE else "call", each.at) for each in case.injections}


def attempt_together(cases: Sequence[Case], tell: Tell, patience: float) -> None:
    """
    Play *cases*, which are of one story in one world, and tell what came of each.

    The calm day is a process of its own too, because it is given up in the middle. What it does not come to, such as a
    call that is not made, is played here.
    """
    left = list(cases)
    theirs, ours = os.pipe()
    process = fork(patience)
    if not process:
        os.close(theirs)
        _live_the_calm_day(cases, ours, patience)
    os.close(ours)
    with os.fdopen(theirs, "rb") as line:
        for trial in _received(line):
            left.remove(trial.case)
            tell(trial)
    os.waitpid(process, 0)
    for case in left:
        tell(safely(case))


def safely(case: Case, crossroads: Crossroads | None = None) -> Trial:
    """What comes of *case*; whatever its run raises is its result, and the campaign goes on."""
    try:
        return attempt(case, crossroads=crossroads)
    except Exception as error:  # noqa: BLE001 -- as said above
        return Trial(case=(crossroads and crossroads.case) or case, problems=(f"it ended with {error!r}",))


def fork(patience: float) -> int:
    """
    Copy this process; 0 in the copy.

    The copy ends with its parent, and when it has computed for *patience* seconds: nobody handles SIGPROF.
    """
    state = random.getstate()
    parent, process = os.getpid(), os.fork()
    if not process:
        random.setstate(state)  # copies draw new numbers otherwise
        bind_to_parent(parent, signal.SIGKILL)
        signal.setitimer(signal.ITIMER_PROF, patience)
    return process


def _live_the_calm_day(cases: Sequence[Case], line: int, patience: float) -> NoReturn:
    """A copy's whole life: it never returns to what its parent was doing."""
    try:
        with os.fdopen(line, "wb") as out:

            def tell(trial: Trial) -> None:
                pickle.dump(trial, out)
                out.flush()  # or the next copy would hold it too

            crossroads = Crossroads(cases, tell, patience)
            trial = safely(Case(story=cases[0].story, seed=cases[0].seed), crossroads)
            if crossroads.case is not None:
                crossroads.answer(trial)
    finally:
        os._exit(0)


def _received(line: BinaryIO) -> Iterator[Trial]:
    while True:
        try:
            yield pickle.load(line)  # noqa: S301 -- our own copy
        except EOFError:
            return


def _differs_at_once(injection: Injection) -> bool:
    return injection.kind in _AT_ONCE or injection.at == 0


def _silent(case: Case, status: int, patience: float) -> Trial:
    ended = os.waitstatus_to_exitcode(status)
    if ended == -signal.SIGPROF:
        return Trial(case=case, problems=(f"it still ran after {patience:g} s of computing",))
    return Trial(case=case, problems=(f"its process ended with status {ended}",))
