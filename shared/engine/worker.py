"""What happens to a queue message: one pass, a record of what could not be read, or a place in the poison cabinet."""

from collections.abc import Callable
from functools import cached_property

from shared.core.errors import MalformedMessage, RegistryIsolationError
from shared.core.requests import WorkMessage
from shared.engine.chain import following, within
from shared.engine.mishaps import Mishaps
from shared.engine.poison import PoisonCabinet
from shared.engine.reception import Reception
from shared.engine.reconcile import Reconciler
from shared.engine.telemetry import Attribute, SpanKind, host_links, telemetry


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
        with within(door="queue"):
            try:
                message = WorkMessage.decode(body)
            except MalformedMessage as error:
                await self._reception.reject(error, body, "rejected")
                return
            with following(message):
                await self._work(message)

    async def _work(self, message: WorkMessage) -> None:
        try:
            await self._pass(message)
        except Exception as error:
            mishap = await self._mishaps.note(message, error)
            if not mishap.fate.passes:
                raise
            try:
                await self._mishaps.put_off(message, mishap, error)
            except RegistryIsolationError as unsent:
                raise unsent from error

    async def _pass(self, message: WorkMessage) -> None:
        """One pass within the trace of its request; a message of an older form begins one."""
        attributes: dict[str, Attribute] = {
            "registry": message.registry.text,
            "generation": message.generation,
            "attempt": message.attempt,
        }
        with telemetry().span(
            "pass", kind=SpanKind.CONSUMER, trace=message.trace, links=host_links(), attributes=attributes
        ) as span:
            outcome = await self._reconciler.run(message)
            span.note(outcome=outcome.kind)

    async def keep_poison(self, body: bytes) -> None:
        """Book a message that failed five times; raises RegistryIsolationError if that could not be recorded."""
        with within(door="poison"):
            try:
                message = WorkMessage.decode(body)
            except MalformedMessage as error:
                await self._reception.reject(error, body, "poison")
                return
            with following(message):
                await self._poison.keep(message)
