"""
Outcome events without Azure: the queue that wakes their delivery, in memory and in virtual time.

Receiving is the same as of every queue in memory: `local.memory.QueueTrigger` hands the texts to a function.
"""

from datetime import timedelta

from local.memory import MemoryWorkQueue
from shared.core.outcome_messages import OutcomeMessage
from shared.engine.ports import Clock


class MemoryOutcomeQueue:
    """`engine.outcome_ports.OutcomeQueue` in a dictionary; *texts* is its receiving half."""

    def __init__(self, clock: Clock) -> None:
        self.texts = MemoryWorkQueue(clock)

    async def send(self, message: OutcomeMessage, delay: timedelta = timedelta()) -> None:
        self.texts.put(message.encode(), delay)
