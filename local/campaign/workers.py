"""
Play bundles of cases in processes of their own, and see to it that none runs for ever.

Virtual time cannot tell that a run hangs in real time: a loop that never waits stops the virtual clock as well. So the
kernel ends a process that computes for too long, and one that neither computes nor answers is ended from here; its case
is reported as broken, and a new process takes its place. Computing is what is counted, and not real time, because a busy
machine may take minutes for what needs a second.
"""

import gc
import logging
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from local.campaign.cases import Case, Story
from local.campaign.crossroads import Tell, attempt_together
from local.campaign.trial import Trial

PATIENCE = 60.0
"""Seconds of computing for one run; the longest of them needs three."""
_SLEEP = 30.0
"""Times *PATIENCE* until a process that does not compute either is given up."""

type Bundle = Sequence[Case]
type Play = Callable[[Bundle, Tell, float], None]
"""Plays a bundle and tells what came of each case, in any order; gets the patience for one."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    line: Connection
    cases: list[Case] = field(default_factory=list)
    """What it has been given and not told of."""
    since: float = field(default_factory=time.monotonic)

    def give(self, bundle: Bundle) -> None:
        self.cases, self.since = list(bundle), time.monotonic()
        self.line.send(self.cases)

    def end(self, patience: float) -> None:
        """Asked first, so that it may write down what it has measured; in vain where a case keeps it from hearing."""
        self.line.close()
        self.process.terminate()
        self.process.join(patience)
        self.process.kill()
        self.process.join()


def bundles(cases: Iterable[Case]) -> list[Bundle]:
    """*cases* by the story and the world that they share."""
    found: dict[tuple[Story, int], list[Case]] = {}
    for case in cases:
        found.setdefault((case.story, case.seed), []).append(case)
    return list(found.values())


def run_all(
    cases: Iterable[Bundle], jobs: int, *, patience: float = PATIENCE, play: Play = attempt_together
) -> Iterator[Trial]:
    """Trials of all *cases* on *jobs* processes, as they are done."""
    waiting = iter(cases)
    workers = [_start(play, patience) for _ in range(max(jobs, 1))]
    try:
        for worker in workers:
            _next(worker, waiting)
        while busy := [worker for worker in workers if worker.cases]:
            wait([worker.line for worker in busy], timeout=1.0)
            for worker in busy:
                trial = _answer(worker, patience)
                if trial is None:
                    continue
                left = worker.cases.copy()
                left.remove(trial.case)  # one of them, should others be equal
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = worker = _start(play, patience)  # noqa: PLW2901 -- its replacement
                    _next(worker, iter([left]) if left else waiting)
                elif left:
                    worker.cases, worker.since = left, time.monotonic()
                else:
                    _next(worker, waiting)
                yield trial
    finally:
        for worker in workers:
            worker.end(patience)


def _next(worker: _Worker, waiting: Iterator[Bundle]) -> None:
    worker.cases = []
    following = next(waiting, None)
    if following is not None:
        worker.give(following)


def _answer(worker: _Worker, patience: float) -> Trial | None:
    """What came of one of the worker's cases; None while it runs. A worker that gives no answer is ended."""
    case = worker.cases[0]
    if worker.line.poll():
        try:
            trial: Trial = worker.line.recv()
        except (EOFError, ConnectionResetError):
            return Trial(case=case, problems=(_last_words(worker, patience),))
        return trial
    if time.monotonic() - worker.since < patience * _SLEEP:
        return None
    worker.end(patience)
    return Trial(case=case, problems=(f"it gave no answer for {patience * _SLEEP:.0f} s of real time",))


def _last_words(worker: _Worker, patience: float) -> str:
    worker.process.join()
    status = worker.process.exitcode
    if status == -signal.SIGPROF:
        return f"it still ran after {patience:g} s of computing"
    return f"its process ended with status {status}"


def _start(play: Play, patience: float) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, ours, play, patience), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(line: Connection, other_end: Connection, play: Play, patience: float) -> None:
    """The worker: play each bundle that comes. Garbage is collected between bundles, when almost everything is."""
    other_end.close()
    logging.disable(logging.CRITICAL)
    gc.collect()
    gc.freeze()
    gc.disable()
    while True:
        try:
            left = line.recv()
        except (EOFError, KeyboardInterrupt):
            return

        def tell(trial: Trial, left: list[Case] = left) -> None:
            left.remove(trial.case)
            line.send(replace(trial, calls=(), store_calls=()))
            signal.setitimer(signal.ITIMER_PROF, patience)  # nobody handles SIGPROF: it ends the process

        signal.setitimer(signal.ITIMER_PROF, patience)
        while left:
            _play_safely(play, left, tell, patience)
        gc.collect()


def _play_safely(play: Play, left: list[Case], tell: Tell, patience: float) -> None:
    """Whatever *play* raises is what came of the next case, and the others go on."""
    try:
        play(tuple(left), tell, patience)
    except Exception as error:  # noqa: BLE001 -- as said above
        tell(Trial(case=left[0], problems=(f"it ended with {error!r}",)))
