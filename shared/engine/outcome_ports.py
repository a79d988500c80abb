"""
What telling outcomes needs from the outside, as roles: a topic, and a queue that wakes whoever delivers.

The same promises hold as in `engine.ports`: errors of the tree only, no retries, no waiting.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from shared.core.outcome_messages import OutcomeMessage
from shared.core.outcomes import OutcomeEvent


class OutcomeTopic(Protocol):
    """Where outcome events are published."""

    async def publish(self, events: Sequence[OutcomeEvent]) -> None:
        """
        Publish *events*, at most `core.outcomes.MOST_KEPT`, in this order and all or none.

        Raises:
            RegistryIsolationError: None of them, or nobody knows which, were taken; publish all of them again.
        """
        ...


class OutcomeQueue(Protocol):
    """Where a delivery is asked for."""

    async def send(self, message: OutcomeMessage, delay: timedelta = timedelta()) -> None:
        """Enqueue *message*, visible after *delay*."""
        ...
