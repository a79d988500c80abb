"""Count what came of many runs, and say it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from local.campaign.cases import Kind
from local.campaign.trial import Trial


@dataclass(slots=True)
class Tally:
    """The figures of one campaign."""

    runs: int = 0
    calls: int = 0
    untouched: int = 0
    blocked: int = 0
    swept: int = 0
    failed: int = 0
    faults: Counter[Kind] = field(default_factory=Counter)
    slowest: Trial | None = None

    def add(self, trial: Trial) -> None:
        self.runs += 1
        self.calls += len(trial.calls)
        self.untouched += not trial.struck
        self.blocked += trial.blocked
        self.swept += trial.swept
        self.failed += bool(trial.problems)
        self.faults.update(each.kind for each in trial.struck)
        if _took(trial) > _took(self.slowest):
            self.slowest = trial

    @staticmethod
    def failure(trial: Trial) -> str:
        """What was broken, and the command that replays it."""
        told = "".join(f"  - {problem}\n" for problem in trial.problems)
        return f"BROKEN {trial.case}\n{told}  replay: python -m local.campaign --replay '{trial.case}'"

    def summary(self) -> str:
        """The figures, a line each."""
        faults = ", ".join(f"{kind} {number}" for kind, number in sorted(self.faults.items()))
        lines = [
            f"{self.runs} runs, {self.calls} calls of the app, {self.faults.total()} faults ({faults or 'none'})",
            f"{self.runs - self.failed} kept every promise, {self.failed} broke one",
            f"{self.swept} were brought to their end by a sweep, {self.blocked} of them after ending Blocked as they should",
            f"{self.untouched} met no fault",
        ]
        if self.slowest is not None:
            lines.append(f"slowest recovery after the last fault: {_took(self.slowest)} ({self.slowest.case})")
        return "\n".join(lines)


def _took(trial: Trial | None) -> timedelta:
    if trial is None or trial.recovery is None or trial.swept:
        return timedelta()
    return trial.recovery
