"""
The longest chain of Azure operations that had to follow one another, from the simulated Azure's own log.

What had to follow what is read from the requests themselves: an operation needs every resource that its URL lies under
or its body names. On top of that stands the one rule of the product: nothing is closed before everything else is done,
and Azure closes the rest after the registry. How long each operation took is what Azure took, so the chain's sum is the
time that nobody could beat.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote, urlsplit

from bench.isolation import Isolation
from bench.rows import ReferenceFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One operation of Azure: when it began and ended, and which earlier ones it needed (by key)."""

    key: str
    started: datetime
    ended: datetime
    needs: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long Azure took."""
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Seconds between the steps of the chain, by cause; *event* is from the event to the chain's first step."""

    polling: float
    queue: float
    passes: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.polling + self.queue + self.passes


def steps_of(run: Isolation) -> tuple[Step, ...]:
    """Every operation of the run, the closings that Azure made by itself included."""
    written: list[tuple[Step, str]] = []
    closing = run.registry.key
    ends = {(op.resource_id.lower(), op.started): op.due for op in run.operations}
    for call in run.calls:
        if call.kind != "write" or call.status >= 300:
            continue
        key = unquote(urlsplit(call.url).path).lower()
        ended = ends.get((key, call.at), call.at)
        if ended is None:
            raise ReferenceFailed(f"{key} never ended")
        body = call.body.decode().lower()
        earlier = (step for step, _ in written if step.started < call.at)
        needs = (step.key for step in earlier if _needs(key, body, step.key) or key == closing)
        written.append((Step(key=key, started=call.at, ended=ended, needs=tuple(dict.fromkeys(needs))), body))
    own = [step for step, _ in written]
    if closing not in {step.key for step in own}:
        raise ReferenceFailed(f"nobody closed {closing}")
    done = next(step.ended for step in own if step.key == closing)
    keys = {step.key for step in own}
    followed = [
        Step(key=key, started=done, ended=at, needs=(closing,)) for key, at in run.closings.items() if key not in keys
    ]
    return (*own, *followed)


def longest_chain(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The chain of *steps* whose durations add up to most, in order."""
    best: dict[str, tuple[float, tuple[Step, ...]]] = {}
    for step in sorted(steps, key=lambda each: each.started):
        before = max((best[key] for key in step.needs if key in best), key=lambda each: each[0], default=(0.0, ()))
        candidate = (before[0] + step.seconds, (*before[1], step))
        if step.key not in best or candidate[0] > best[step.key][0]:
            best[step.key] = candidate
    return max(best.values(), key=lambda each: each[0])[1]


def losses(run: Isolation, chain: tuple[Step, ...]) -> Losses:
    """
    Where the time between the chain's steps went.

    A gap begins when Azure was done and ends with the app's next write (or its last word). The part until the app had
    asked to be called again is the polling grain, from there to the pass's beginning is the queue, the rest is the pass.
    """
    ends = [run.event, *(step.ended for step in chain)]
    begins = [*(step.started for step in chain), run.known]
    gaps = [_gap(run, end, begin) for end, begin in zip(ends, begins, strict=True) if begin > end]
    return Losses(
        polling=sum(gap.polling for gap in gaps),
        queue=sum(gap.queue for gap in gaps),
        passes=sum(gap.passes for gap in gaps),
    )


def _gap(run: Isolation, end: datetime, begin: datetime) -> Losses:
    number = max(i for i, each in enumerate(run.passes) if each.started <= begin)
    acting = run.passes[number]
    asked = run.passes[number - 1].due if number else end
    due = min(max(asked or end, end), acting.started)
    began = max(acting.started, end)
    return Losses(polling=_seconds(due - end), queue=_seconds(began - max(due, end)), passes=_seconds(begin - began))


def _seconds(span: timedelta) -> float:
    return max(span.total_seconds(), 0.0)


def _needs(key: str, body: str, other: str) -> bool:
    """Tell whether a request to *key* with *body* needs *other*: it lies under it, or names it."""
    return key.startswith(other + "/") or f'"{other}"' in body
