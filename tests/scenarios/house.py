"""The house of the scenarios: the one of `local`, whose ledger is searched for secrets when its test is over."""

from typing import TYPE_CHECKING, Any

from local import house
from local.house import APP, DAY, HOOK, ROLE, SimulatedCredential, as_id
from tests.emitted import watch

__all__ = ["APP", "DAY", "HOOK", "ROLE", "House", "SimulatedCredential", "as_id"]

if TYPE_CHECKING:
    # What takes a house takes every kind of one, those of `local` that sweep included; watching changes nothing of it.
    from local.house import House
else:

    class House(house.House):
        """A house under watch."""

        async def __aenter__(self) -> Any:
            entered = await super().__aenter__()
            watch(self.ledger)
            return entered
