"""
Retry policies: what the host does about a failed function whose trigger does not bring its event again.

As documented ("Azure Functions error handling and retries"): for timers, among the triggers of this host, and for no
other; the function runs again with the same value, as an invocation of its own that is told how many there were; with
exponential backoff the first delay is the minimum, the others grow and are spread by a fifth (WebJobs SDK). Retries are
forgotten with their process.
"""

import importlib
import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self

from local.host import protos

ENDLESS = -1
_SPREAD = 0.2
_FULL_GROWTH = 30
"""Doublings after which any maximum is reached, so that an endless policy does not calculate with ever longer numbers."""


class InvalidRetryPolicy(ValueError):
    """The host in Azure would not load a function with this policy."""


class Strategy(StrEnum):
    """Names of the worker's contract."""

    FIXED_DELAY = "fixed_delay"
    EXPONENTIAL_BACKOFF = "exponential_backoff"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """
    When a failed function runs again.

    Attributes:
        most: Retries after the first failure; `ENDLESS` for no end.
        minimum: The first delay; with a fixed delay, every one.
        maximum: The longest delay.
    """

    strategy: Strategy
    most: int
    minimum: timedelta
    maximum: timedelta

    @classmethod
    def of(cls, options: protos.RpcRetryOptions) -> Self:
        """Read what the worker says of a function; raises InvalidRetryPolicy."""
        known = [str(each) for each in Strategy]
        if options.retry_strategy not in known:
            raise InvalidRetryPolicy(f"the strategy is {options.retry_strategy!r}, which is none of {known}")
        strategy = Strategy(options.retry_strategy)
        if strategy is Strategy.FIXED_DELAY:
            minimum = maximum = options.delay_interval
        else:
            minimum, maximum = options.minimum_interval, options.maximum_interval
        if options.max_retry_count < ENDLESS:
            raise InvalidRetryPolicy(f"the number of retries is {options.max_retry_count}")
        if minimum > maximum:
            raise InvalidRetryPolicy(f"the minimum {minimum} is longer than the maximum {maximum}")
        return cls(strategy=strategy, most=options.max_retry_count, minimum=minimum, maximum=maximum)

    def allows(self, retry: int) -> bool:
        """Whether there is a *retry*-th retry; the first is 1."""
        return self.most == ENDLESS or retry <= self.most

    def delay(self, retry: int, rng: random.Random) -> timedelta:
        """How long the *retry*-th retry waits after the failure before it."""
        if retry == 1 or self.strategy is Strategy.FIXED_DELAY:
            return self.minimum
        growth = 2 ** min(retry - 2, _FULL_GROWTH) * rng.uniform(1 - _SPREAD, 1 + _SPREAD)
        seconds = self.minimum.total_seconds() * (1 + growth)
        return timedelta(seconds=min(seconds, self.maximum.total_seconds()))


def declared(builder: Any) -> RetryPolicy | None:
    """The policy of a decorated function, by way of the worker's own reading of it; None if it has none."""
    loader: Any = importlib.import_module("azure_functions_runtime.loader")
    options = loader.build_retry_protos(protos, builder.build())
    return None if options is None else RetryPolicy.of(options)
