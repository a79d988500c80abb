"""What a crash campaign says: a line for each point, and the sum of them."""

from collections import Counter
from collections.abc import Sequence
from statistics import median

from local.crash import verdict
from local.crash.points import Point
from local.crash.repeats import excused, inexcusable
from local.crash.rig import Trial
from local.crash.steps import said
from local.crash.stories import CREATE, Story

_WIDTH = 52


class Tally:
    """
    Counts trials, and holds each against the one in which nobody was killed.

    Args:
        story: What the trials are about.

    Attributes:
        failed: How many broke a promise.
    """

    def __init__(self, undisturbed: Trial, story: Story = CREATE) -> None:
        self._undisturbed = undisturbed
        self._story = story
        self._recoveries: list[float] = []
        self._repeated: Counter[str] = Counter()
        self._missed = 0
        self._trials = 0
        self.failed = 0

    @property
    def wrong_from_the_start(self) -> str:
        """What the story without a kill got wrong; "" when it may be held against others."""
        problems = (*self._undisturbed.problems, *self._undisturbed.ending.problems)
        return "\n".join(("Nobody was killed, and yet:", *problems)) if problems else ""

    def problems_of(self, trial: Trial) -> list[str]:
        """Broken promises, a sentence each."""
        reference = self._undisturbed.ending
        found = [*trial.problems, *verdict.differences(trial.ending, reference, self._story.spared)]
        if trial.crowded:
            return found
        return found + inexcusable(verdict.repeats(trial.ending, reference))

    def add(self, trial: Trial, every: Sequence[Point]) -> str:
        """Count *trial*; gives its line, and what is wrong under it."""
        problems, point = self.problems_of(trial), next(iter(trial.points), None)
        repeated = verdict.repeats(trial.ending, self._undisturbed.ending)
        self._trials += 1
        self.failed += bool(problems)
        self._missed += not trial.met
        self._repeated.update(what for what in repeated if excused(what))
        if trial.recovered is not None:
            self._recoveries.append(trial.recovered.total_seconds())
        number = every.index(point) + 1 if point in every else 0
        going_on = f"{point.side} {said(point.step.what)}" if point else "nobody is killed"
        took = f"{trial.recovered.total_seconds():5.1f} s" if trial.recovered is not None else "not met"
        line = f"{number or '':>4} {point!s:<{_WIDTH}} {going_on:<{_WIDTH}} {took}"
        line += "  (too busy to judge repetitions)" if trial.crowded else ""
        line += f"  again: {', '.join(repeated)}" if repeated else ""
        if not problems:
            return line
        return "\n".join(
            (
                f"{line}  FAILED",
                *(f"       {each}" for each in problems),
                f"       --story {self._story.name} --points '{point}'",
            )
        )

    def summary(self) -> str:
        """The sum."""
        lines = [f"{self._trials} kills, {self.failed} failed; {self._missed} points were not met."]
        if self._recoveries:
            lines.append(
                f"From the kill to the end of the work: median {median(self._recoveries):.1f} s, "
                f"slowest {max(self._recoveries):.1f} s, the host's start included."
            )
        lines += [f"{count} times again: {what} ({excused(what)})" for what, count in self._repeated.most_common()]
        return "\n".join(lines)
