"""
The order in which files of tests begin.

Files that start real processes wait more than they work: for a program to be ready, for a lease to end. Side by side they
would leave the processor idle, and as the last ones they would keep everybody waiting. So they begin early, each beside
files that only compute. Within a file nothing moves: tests that share a fixture stay together.
"""

from collections.abc import Sequence

import pytest

BESIDE = 2
"""Files that only compute, after each that waits: as many as there are other workers (`make test`)."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in order; every worker comes to the same one."""
    files: dict[str, list[pytest.Item]] = {}
    waits: dict[str, int] = {}
    for item in items:
        name = item.nodeid.partition("::")[0]
        files.setdefault(name, []).append(item)
        waits[name] = waits.get(name, 0) + (item.get_closest_marker("slow") is not None)
    items[:] = [item for name in arranged(waits) for item in files[name]]


def arranged(waits: dict[str, int]) -> list[str]:
    """
    Give the names of *waits* in the order in which they begin.

    Args:
        waits: How many tests of each file start processes. Where they are few, each is a long story.
    """
    waiting = sorted((name for name, count in waits.items() if count), key=lambda name: waits[name])
    working = [name for name, count in waits.items() if not count]
    mixed = [name for at, each in enumerate(waiting) for name in (each, *_beside(working, at))]
    return mixed + working[len(waiting) * BESIDE :]


def _beside(working: Sequence[str], at: int) -> Sequence[str]:
    return working[at * BESIDE : (at + 1) * BESIDE]
