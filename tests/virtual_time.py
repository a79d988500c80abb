"""Virtual time as the tests know it: `local.virtual_time`, and the event loop of each test."""

import asyncio
from collections.abc import Mapping

import pytest
from pytest_asyncio.plugin import LoopFactory

from local.virtual_loop import VirtualLoop
from local.virtual_time import EPOCH, LoopClock, run_virtual

__all__ = ["EPOCH", "LoopClock", "pytest_asyncio_loop_factories", "pytest_runtest_setup", "run_virtual"]


class _Loops:
    """What kind of event loop the test that runs now is to have; its fixtures and parameters have their say too."""

    virtual = False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A plugin hook, for the suite's conftest to take over: tests marked `virtual_time` get it."""
    _Loops.virtual = item.get_closest_marker("virtual_time") is not None


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """pytest-asyncio's hook: one factory for all, because a parameter's mark is known only when its test begins."""
    del config, item
    return {"loop": _loop}


def _loop() -> asyncio.AbstractEventLoop:
    return VirtualLoop() if _Loops.virtual else asyncio.SelectorEventLoop()
