"""Virtual time as the tests know it: `local.virtual_time`, and what pytest needs to be told."""

import asyncio

from local.virtual_time import EPOCH, LoopClock, run_virtual

__all__ = ["EPOCH", "LoopClock", "pytest_configure", "run_virtual"]


def pytest_configure() -> None:
    """
    Tell asyncio that no loop is current; a plugin hook, for the suite's conftest to take over.

    looptime asks for the current loop before every test. Before the first asynchronous one Python would answer with a
    warning and a new loop that nobody closes, and both are errors here.
    """
    asyncio.set_event_loop(None)
