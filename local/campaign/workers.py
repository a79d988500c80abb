"""
Run cases in processes of their own, and see to it that none runs for ever.

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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from local.campaign.cases import Case
from local.campaign.trial import Trial, attempt

PATIENCE = 60.0
"""Seconds of computing for one run; the longest of them needs three."""
_SLEEP = 30.0
"""Times *PATIENCE* until a process that does not compute either is given up."""
_COLLECT_EACH = 20

type Attempt = Callable[[Case], Trial]


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    line: Connection
    case: Case | None = None
    since: float = field(default_factory=time.monotonic)

    def give(self, case: Case) -> None:
        self.case, self.since = case, time.monotonic()
        self.line.send(case)

    def end(self) -> None:
        self.line.close()
        self.process.terminate()
        self.process.join()


def run_all(
    cases: Iterator[Case], jobs: int, *, patience: float = PATIENCE, attempt_one: Attempt = attempt
) -> Iterator[Trial]:
    """Trials of all *cases* on *jobs* processes, as they are done."""
    workers = [_start(attempt_one, patience) for _ in range(max(jobs, 1))]
    try:
        for worker in workers:
            _next(worker, cases)
        while busy := [worker for worker in workers if worker.case is not None]:
            wait([worker.line for worker in busy], timeout=1.0)
            for worker in busy:
                trial = _answer(worker, patience)
                if trial is None:
                    continue
                if not worker.process.is_alive():
                    workers[workers.index(worker)] = worker = _start(attempt_one, patience)  # noqa: PLW2901 -- its replacement
                _next(worker, cases)
                yield trial
    finally:
        for worker in workers:
            worker.end()


def _next(worker: _Worker, cases: Iterator[Case]) -> None:
    worker.case = None
    following = next(cases, None)
    if following is not None:
        worker.give(following)


def _answer(worker: _Worker, patience: float) -> Trial | None:
    """What came of the worker's case; None while it runs. A worker that gives no answer is ended."""
    case = worker.case
    if case is None:
        return None
    if worker.line.poll():
        try:
            trial: Trial = worker.line.recv()
        except (EOFError, ConnectionResetError):
            return Trial(case=case, problems=(_last_words(worker, patience),))
        return trial
    if time.monotonic() - worker.since < patience * _SLEEP:
        return None
    worker.end()
    return Trial(case=case, problems=(f"it gave no answer for {patience * _SLEEP:.0f} s of real time",))


def _last_words(worker: _Worker, patience: float) -> str:
    worker.process.join()
    status = worker.process.exitcode
    if status == -signal.SIGPROF:
        return f"it still ran after {patience:g} s of computing"
    return f"its process ended with status {status}"


def _start(attempt_one: Attempt, patience: float) -> _Worker:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, ours, attempt_one, patience), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _serve(line: Connection, other_end: Connection, attempt_one: Attempt, patience: float) -> None:
    """The worker: answer each case that comes. Garbage is collected between runs, when almost everything is."""
    other_end.close()
    logging.disable(logging.CRITICAL)
    gc.freeze()
    gc.disable()
    for done in range(1, 10**9):
        try:
            case = line.recv()
        except (EOFError, KeyboardInterrupt):
            return
        signal.setitimer(signal.ITIMER_PROF, patience)  # nobody handles SIGPROF: it ends the process
        line.send(replace(_safely(attempt_one, case), calls=(), store_calls=()))
        if done % _COLLECT_EACH == 0:
            gc.collect()


def _safely(attempt_one: Attempt, case: Case) -> Trial:
    try:
        return attempt_one(case)
    except Exception as error:  # noqa: BLE001 -- whatever a run raises is its result, and the campaign goes on
        return Trial(case=case, problems=(f"it ended with {error!r}",))
