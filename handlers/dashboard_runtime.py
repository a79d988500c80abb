"""
What the dashboard alone works with, made of the process's services at its first visitor.

Beside `handlers.runtime` the only module of this room that composes: events and passes never pay for a page.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from handlers.runtime import Runtime

if TYPE_CHECKING:
    from handlers.dashboard_session import Sessions
    from shared.core.sweeps import SweepRecord
    from shared.engine.overview import Board
    from shared.engine.session_ports import Keyring

# ruff: noqa: PLC0415 -- cold start: each service imports what it is made of at its first use


class Desk:
    """Services of the dashboard; one per process."""

    def __init__(self, app: Runtime) -> None:
        self.app = app

    @cached_property
    def keyring(self) -> "Keyring":
        """Keys that sessions are signed with."""
        from shared.cloud.session_keys import TableKeyring

        return TableKeyring(self.app.account, self.app.clock)

    @cached_property
    def sessions(self) -> "Sessions":
        """Makes and reads sessions."""
        from handlers.dashboard_session import Sessions

        return Sessions(self.keyring, self.app.clock)

    @cached_property
    def board(self) -> "Board":
        """All registries at a glance."""
        from shared.engine.overview import Board

        return Board(self.app.ledger, self.app.policy, self.app.clock, self._newest_sweep)

    async def _newest_sweep(self) -> "SweepRecord | None":
        return next(iter((await self.app.sweeper.list(1)).sweeps), None)


def desk_of(app: Runtime) -> Desk:
    """The dashboard's services of *app*, always the same ones."""
    desk: Desk = vars(app).setdefault("_desk", Desk(app))
    return desk
