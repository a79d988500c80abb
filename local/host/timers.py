"""
Timer triggers: fire at each occurrence, again by the function's retry policy, catch up once after a pause, never overlap.

The next occurrence is written down when it is known, so that a host that starts late sees that it missed one
(`IsPastDue`). Occurrences that pass while the function is still running, or waits for a retry, are skipped, as in Azure.
"""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from local.host.functions import Function, TimerTrigger
from local.host.invocations import Invoker
from local.host.protos import TypedData
from local.host.worker import Retry

log = logging.getLogger("host.timer")

LONGEST_SLEEP = timedelta(minutes=1)  # so that a clock set forward, or a laptop that slept, is noticed


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What is remembered of a timer."""

    expression: str
    last: datetime | None
    next: datetime


class TimerNotes(Protocol):
    """Where timers are remembered."""

    def read(self, function: str) -> Noted | None: ...

    def write(self, function: str, noted: Noted) -> None: ...


class TimerFile:
    """`timers.json` in the data folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, function: str) -> Noted | None:
        entry = self._entries().get(function)
        if entry is None:
            return None
        last = entry["last"]
        return Noted(
            expression=entry["expression"],
            last=None if last is None else datetime.fromisoformat(last),
            next=datetime.fromisoformat(entry["next"]),
        )

    def write(self, function: str, noted: Noted) -> None:
        entries = self._entries()
        entries[function] = {
            "expression": noted.expression,
            "last": None if noted.last is None else noted.last.isoformat(),
            "next": noted.next.isoformat(),
        }
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps(entries, indent=2), encoding="utf-8")
        draft.replace(self._path)  # in one step: a killed host leaves the old notes or the new, never half of them

    def _entries(self) -> dict[str, Any]:
        if not self._path.exists():
            return {}
        entries: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        return entries


class TimerListener:
    """One function's timer. `run` works until `stop`."""

    def __init__(
        self,
        function: Function,
        trigger: TimerTrigger,
        *,
        notes: TimerNotes,
        invoker: Invoker,
        now: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._notes = notes
        self._invoker = invoker
        self._now = now
        self._rng = rng
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Do not fire again."""
        self._stopping.set()

    async def run(self) -> None:
        noted = self._recall()
        now = self._now()
        past_due = noted is not None and noted.next <= now
        last = noted.last if noted is not None else None
        due = noted.next if noted is not None and past_due else self._trigger.schedule.after(now)
        if past_due or self._trigger.run_on_startup:
            last = await self._fire(due if past_due else now, last=last, past_due=past_due)
        while not self._stopping.is_set():
            due = self._trigger.schedule.after(self._now())
            self._note(last, due)
            if await self._wait_until(due):
                last = await self._fire(due, last=last, past_due=False)

    def _recall(self) -> Noted | None:
        """What the last run left, unless it was about another schedule."""
        if not self._trigger.use_monitor:
            return None
        noted = self._notes.read(self._function.name)
        return noted if noted is not None and noted.expression == self._trigger.schedule.expression else None

    def _note(self, last: datetime | None, due: datetime) -> None:
        if self._trigger.use_monitor:
            noted = Noted(expression=self._trigger.schedule.expression, last=last, next=due)
            self._notes.write(self._function.name, noted)

    async def _wait_until(self, due: datetime) -> bool:
        """Whether *due* came before the end of everything."""
        while (left := due - self._now()) > timedelta(0):
            try:
                async with asyncio.timeout(min(left, LONGEST_SLEEP).total_seconds()):
                    await self._stopping.wait()
            except TimeoutError:
                continue
            return False
        return True

    async def _fire(self, due: datetime, *, last: datetime | None, past_due: bool) -> datetime:
        reason = f"timer due at {due.isoformat()}{' (past due)' if past_due else ''}"
        value = timer_value(past_due=past_due, last=last, due=due)
        done = await self._invoker.invoke(self._function, value, reason=reason)
        policy, count = self._function.retry, 1
        while policy is not None and done.error is not None and policy.allows(count):
            if not await self._wait_until(self._now() + policy.delay(count, self._rng)):
                break
            retry = Retry(count=count, most=policy.most, error=done.error)
            done = await self._invoker.invoke(self._function, value, reason=f"{reason}, retry {count}", retry=retry)
            count += 1
        return due


def timer_value(*, past_due: bool, last: datetime | None, due: datetime) -> TypedData:
    """The trigger's value: the JSON of a .NET TimerInfo."""
    moment = (last or due).isoformat()
    return TypedData(
        json=json.dumps(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": {"Last": moment, "Next": due.isoformat(), "LastUpdated": moment},
                "IsPastDue": past_due,
            }
        )
    )
