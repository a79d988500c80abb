"""What happens to a queue message: one pass, a record of what could not be read, or a place in the poison cabinet."""

from collections.abc import Callable
from functools import cached_property

from shared.core.errors import MalformedMessage, RegistryIsolationError
from shared.core.requests import WorkMessage
from shared.engine.mishaps import Mishaps
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
        self,
        *,
        make_reconciler: Callable[[], Reconciler],
        reception: Reception,
        poison: PoisonCabinet,
        mishaps: Mishaps,
    ) -> None:
        self._make_reconciler = make_reconciler
        self._reception = reception
        self._poison = poison
        self._mishaps = mishaps

    @cached_property
    def _reconciler(self) -> Reconciler:
        return self._make_reconciler()

    async def work(self, body: bytes) -> None:
        """
        Do the pass that a message asks for; one that cannot be read is recorded and done with.

        An error that may pass puts the message off, so that no outage of the state uses up its deliveries.

        Raises:
            Exception: A bug, a lasting error, or one that could not be put off; the host delivers the message again.
        """
        try:
            message = WorkMessage.decode(body)
        except MalformedMessage as error:
            await self._reception.reject(error, body, "rejected")
            return
        try:
            await self._reconciler.run(message)
        except Exception as error:
            mishap = await self._mishaps.note(message, error)
            if not mishap.fate.passes:
                raise
            try:
                await self._mishaps.put_off(message, mishap, error)
            except RegistryIsolationError as unsent:
                raise unsent from error

    async def keep_poison(self, body: bytes) -> None:
        """Book a message that failed five times; raises RegistryIsolationError if that could not be recorded."""
        try:
            message = WorkMessage.decode(body)
        except MalformedMessage as error:
            await self._reception.reject(error, body, "poison")
            return
        await self._poison.keep(message)
