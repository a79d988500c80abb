"""Signing keys on Azure Tables: the same for every process, new every day, forgotten after two."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from shared.cloud.session_keys import TableKeyring
from shared.cloud.state_clients import StateAccount
from shared.engine.session_ports import SigningKey
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.slow
DAY = timedelta(days=1)


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.at = EPOCH

    def now(self) -> datetime:
        return self.at

    async def sleep(self, duration: timedelta) -> None:
        self.at += duration


async def test_every_process_finds_the_key_that_one_of_them_made(azurite_account: StateAccount) -> None:
    clock, name = SetClock(), f"keys{uuid4().hex}"
    async with AsyncExitStack() as open_ones:
        rings = [await opened(open_ones, azurite_account, clock, name) for _ in range(5)]

        made = await asyncio.gather(*(ring.current() for ring in rings[:-1]))

        assert len(set(made)) == 1
        assert await rings[-1].find(made[0].id) == made[0]
        assert len(made[0].secret) == 32
        assert made[0].secret.hex() not in repr(made[0])


async def test_a_key_is_believed_for_two_days_and_then_deleted(azurite_account: StateAccount) -> None:
    clock, name = SetClock(), f"keys{uuid4().hex}"
    async with AsyncExitStack() as open_ones:
        ring, other = [await opened(open_ones, azurite_account, clock, name) for _ in range(2)]
        first = await ring.current()

        clock.at += DAY
        second = await ring.current()
        yesterdays = await ring.find(first.id)
        clock.at += DAY
        await ring.current()

        assert first != second
        assert yesterdays == first
        assert await ring.find(first.id) is None
        clock.at -= DAY  # even a clock that was wrong does not bring it back
        assert await other.find(first.id) is None


async def test_a_name_that_no_key_has_finds_none(azurite_account: StateAccount) -> None:
    async with AsyncExitStack() as open_ones:
        ring = await opened(open_ones, azurite_account, SetClock(), f"keys{uuid4().hex}")

        for name in ("", "../keys", "2026-01-05' or 1 eq 1", (EPOCH - DAY).date().isoformat()):
            assert await ring.find(name) is None


async def test_what_does_not_exist_is_read_once(azurite_account: StateAccount) -> None:
    async with AsyncExitStack() as open_ones:
        ring = await opened(open_ones, azurite_account, SetClock(), f"keys{uuid4().hex}")
        reads: list[str] = []
        read = ring._read

        async def counted(name: str) -> SigningKey | None:
            reads.append(name)
            return await read(name)

        ring._read = counted  # type: ignore[method-assign]  # counts what is asked of the table
        for _ in range(5):
            assert await ring.find((EPOCH - DAY).date().isoformat()) is None

    assert len(reads) == 1


async def test_names_that_no_key_had_are_not_remembered_for_longer_than_keys(azurite_account: StateAccount) -> None:
    clock = SetClock()
    async with AsyncExitStack() as open_ones:
        ring = await opened(open_ones, azurite_account, clock, f"keys{uuid4().hex}")
        for _ in range(5):
            assert await ring.find((clock.at - DAY).date().isoformat()) is None
            clock.at += DAY

        assert len(ring._absent) <= 2


async def opened(open_ones: AsyncExitStack, account: StateAccount, clock: SetClock, name: str) -> TableKeyring:
    return await open_ones.enter_async_context(aclosing(TableKeyring(account, clock, name)))
