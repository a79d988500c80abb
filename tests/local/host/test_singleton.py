import asyncio
from pathlib import Path

import pytest

from local.host.singleton import Singleton


def test_one_of_two_holds_it_until_it_gives_it_up(tmp_path: Path) -> None:
    one, two = Singleton(tmp_path / "lock"), Singleton(tmp_path / "lock")

    assert (one.try_acquire(), two.try_acquire(), one.try_acquire()) == (True, False, True)
    one.close()
    assert two.try_acquire()
    two.close()


@pytest.mark.virtual_time
async def test_the_other_one_waits_and_takes_over(tmp_path: Path) -> None:
    one, two = Singleton(tmp_path / "lock"), Singleton(tmp_path / "lock")
    one.try_acquire()
    waiting = asyncio.create_task(two.acquire())
    await asyncio.sleep(10)
    assert not waiting.done()

    one.close()
    await waiting

    assert 10 <= asyncio.get_running_loop().time() <= 11
    two.close()
