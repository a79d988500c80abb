"""Count what came of many runs, and say it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

from local.campaign.cases import Case, Story
from local.campaign.kinds import Kind
from local.campaign.trial import Trial


@dataclass(slots=True)
class Tally:
    """The figures of one campaign."""

    runs: int = 0
    untouched: int = 0
    blocked: int = 0
    swept: int = 0
    recovered: int = 0
    failed: list[Case] = field(default_factory=list)
    faults: Counter[Kind] = field(default_factory=Counter)
    stories: Counter[Story] = field(default_factory=Counter)
    slowest: Trial | None = None

    def add(self, trial: Trial) -> None:
        self.runs += 1
        self.untouched += not trial.struck
        self.blocked += trial.blocked
        self.swept += trial.swept
        self.recovered += bool(trial.struck) and not trial.problems and not trial.swept
        if trial.problems:
            self.failed.append(trial.case)
        self.faults.update(each.kind for each in trial.struck)
        self.stories[trial.case.story] += 1
        if _took(trial) > _took(self.slowest):
            self.slowest = trial

    @staticmethod
    def failure(trial: Trial) -> str:
        """What was broken, and the command that replays it."""
        told = "".join(f"  - {problem}\n" for problem in trial.problems)
        return f"BROKEN {trial.case}\n{told}  replay: {replay(trial.case)}"

    def summary(self) -> str:
        """The figures, a line each."""
        lines = [
            f"{self.runs} runs ({_listed(self.stories)})",
            f"{self.faults.total()} faults ({_listed(self.faults)})",
            f"{self.runs - len(self.failed)} kept every promise, {len(self.failed)} broke one",
            f"{self.recovered} recovered by themselves from what they met, {self.untouched} met nothing",
            f"{self.swept} were brought to their end by a sweep, {self.blocked} of them after ending Blocked as they should",
        ]
        if self.slowest is not None:
            lines.append(f"slowest recovery after the last fault: {_took(self.slowest)}: {replay(self.slowest.case)}")
        return "\n".join(lines)


def replay(case: Case) -> str:
    """The command that plays one case again."""
    return f"python -m local.campaign --replay '{case}'"


def _listed[Name: (Kind, Story)](numbers: Counter[Name]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(numbers.items())) or "none"


def _took(trial: Trial | None) -> timedelta:
    if trial is None or trial.recovery is None or trial.swept:
        return timedelta()
    return trial.recovery
