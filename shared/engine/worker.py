"""What happens to a queue message: one pass, a record of what could not be read, or a place in the poison cabinet."""

from collections.abc import Callable
from functools import cached_property

from shared.core.errors import MalformedMessage
from shared.core.requests import WorkMessage
from shared.engine.poison import PoisonCabinet
from shared.engine.reception import Reception
from shared.engine.reconcile import Reconciler


class Worker:
    """
    Works messages off.

    Args:
        make_reconciler: Called at the first message: a process that only receives events never needs one.
    """

    def __init__(
        self, *, make_reconciler: Callable[[], Reconciler], reception: Reception, poison: PoisonCabinet
    ) -> None:
        self._make_reconciler = make_reconciler
        self._reception = reception
        self._poison = poison

    @cached_property
    def _reconciler(self) -> Reconciler:
        return self._make_reconciler()

    async def work(self, body: bytes) -> None:
        """
        Do the pass that a message asks for; one that cannot be read is recorded and done with.

        Raises:
            RegistryIsolationError: The pass could not be recorded; the message has to be delivered again.
        """
        try:
            message = WorkMessage.decode(body)
        except MalformedMessage as error:
            await self._reception.reject(error, body, "rejected")
            return
        await self._reconciler.run(message)

    async def keep_poison(self, body: bytes) -> None:
        """Book a message that failed five times; raises RegistryIsolationError if that could not be recorded."""
        try:
            message = WorkMessage.decode(body)
        except MalformedMessage as error:
            await self._reception.reject(error, body, "poison")
            return
        await self._poison.keep(message)
