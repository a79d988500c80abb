"""What happens to a message, readable or not, from the queue and from the poison queue."""

import logging
import random
from datetime import timedelta

import pytest

from local.memory import MemoryLedger, MemoryWorkQueue
from shared.core.arm import ResourceId
from shared.core.errors import Unavailable
from shared.core.mishaps import MishapFate
from shared.core.report import Failed
from shared.core.requests import MESSAGE_BYTES, WorkMessage
from shared.engine.mishaps import Mishaps
from shared.engine.poison import PoisonCabinet
from shared.engine.ports import LedgerEntry
from shared.engine.reception import Reception
from shared.engine.reconcile import Reconciler
from shared.engine.worker import Worker
from tests.engine.desk import ALPHA, SECOND, Desk
from tests.virtual_time import EPOCH, LoopClock

pytestmark = pytest.mark.virtual_time


class Shop(Desk):
    """A worker in front of the reconciler; counts how often one was made."""

    made = 0

    def worker(self) -> Worker:
        def make() -> Reconciler:
            self.made += 1
            return self.reconciler

        reception = Reception(
            intake=self.intake, ledger=self.ledger, clock=self.clock, own_principal=None, subscriptions=()
        )
        return Worker(
            make_reconciler=make,
            reception=reception,
            poison=PoisonCabinet(self.ledger, self.clock, queue=self.queue),
            mishaps=Mishaps(self.ledger, self.queue, self.clock, random.Random(1)),
        )


MALFORMED = [
    b"",
    b"\xff\xfe\x00",
    b"null",
    b'"text"',
    b"[]",
    b'{"version":2}',
    b'{"version":1,"registry":"x","generation":1,"attempt":1}',
    WorkMessage(registry=ALPHA, generation=1, attempt=1).encode().replace("1,", "true,").encode(),
    b" " * (MESSAGE_BYTES + 1),
    b'{"a":' * 1000,
]


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("poison", [False, True])
async def test_a_message_that_cannot_be_read_is_recorded_and_done_with(body: bytes, *, poison: bool) -> None:
    shop = Shop()
    worker = shop.worker()

    await (worker.keep_poison(body) if poison else worker.work(body))

    (entry,) = await shop.ledger.history(None)
    assert (entry.kind, entry.subject, entry.at) == ("poison" if poison else "rejected", "MalformedMessage", EPOCH)
    assert entry.sentence.startswith("The queue message")
    assert entry.before == {"input": repr(body)[:2000]}
    assert shop.plane.calls == []
    assert len(shop.queue) == 0
    assert shop.made == 0


async def test_a_readable_message_is_one_pass() -> None:
    shop = Shop()
    message = await shop.ask()

    await shop.worker().work(message.encode().encode())

    assert (await shop.row()).sequence == 1
    assert shop.plane.asked("read_registry") == [ALPHA]


async def test_the_reconciler_is_made_once_at_the_first_readable_message() -> None:
    shop = Shop()
    worker = shop.worker()
    body = (await shop.ask()).encode().encode()

    await worker.work(b"nonsense")
    assert shop.made == 0
    await worker.work(body)
    await worker.work(body)

    assert shop.made == 1


async def test_a_reconciler_that_cannot_be_made_is_tried_again_with_the_next_delivery() -> None:
    shop = Shop()
    attempts = []

    def make() -> Reconciler:
        attempts.append(1)
        if len(attempts) == 1:
            raise ImportError("half a deployment")
        return shop.reconciler

    reception = Reception(
        intake=shop.intake, ledger=shop.ledger, clock=shop.clock, own_principal=None, subscriptions=()
    )
    worker = Worker(
        make_reconciler=make,
        reception=reception,
        poison=PoisonCabinet(shop.ledger, shop.clock),
        mishaps=Mishaps(shop.ledger, shop.queue, shop.clock),
    )
    body = (await shop.ask()).encode().encode()

    with pytest.raises(ImportError):
        await worker.work(body)
    await worker.work(body)

    assert (await shop.row()).sequence == 1


class Deaf(MemoryLedger):
    """Answers nothing."""

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        raise Unavailable(f"Nothing was read of {registry.name}.")


async def test_a_pass_whose_row_cannot_be_read_is_put_off(caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(ledger=Deaf())
    body = WorkMessage(registry=ALPHA, generation=1, attempt=1).encode()

    with caplog.at_level(logging.WARNING, "registry_isolation"):
        await shop.worker().work(body.encode())

    assert shop.plane.calls == []
    assert shop.queue.next_visible is not None
    assert shop.queue.next_visible >= EPOCH + 20 * SECOND
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == ["mishap"]


async def test_a_pass_that_meets_a_bug_brings_the_message_back_and_says_why() -> None:
    shop = Shop()
    message = await shop.ask()
    shop.plane.fail("read_registry", ZeroDivisionError("division by zero, AccountKey=c2VjcmV0"))

    with pytest.raises(ZeroDivisionError):
        await shop.worker().work(message.encode().encode())

    last = (await shop.row()).last_error
    assert last is not None
    assert (last.name, last.fate, last.deliveries) == ("ZeroDivisionError", MishapFate.BUG, 1)
    assert "division by zero" in last.sentence
    assert "c2VjcmV0" not in last.sentence


async def test_a_pass_that_comes_to_its_end_forgets_the_error() -> None:
    shop = Shop()
    message = await shop.ask()
    shop.plane.fail("read_registry", ZeroDivisionError("a bug"))
    worker = shop.worker()
    with pytest.raises(ZeroDivisionError):
        await worker.work(message.encode().encode())

    await worker.work(message.encode().encode())

    assert (await shop.row()).last_error is None


class Mute(MemoryWorkQueue):
    async def send(self, message: WorkMessage, delay: timedelta = timedelta()) -> None:
        raise Unavailable(f"{message.registry.name} was not sent ({delay}).")


async def test_a_message_that_cannot_be_put_off_is_left_to_the_host() -> None:
    shop = Shop(ledger=Deaf(), queue=Mute(LoopClock()))

    with pytest.raises(Unavailable, match="was not sent"):
        await shop.worker().work(WorkMessage(registry=ALPHA, generation=1, attempt=1).encode().encode())


async def test_a_poisoned_message_is_booked_at_its_registry() -> None:
    shop = Shop()
    message = await shop.ask()
    shop.plane.fail("read_registry", ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await shop.worker().work(message.encode().encode())

    await shop.worker().keep_poison(message.encode().encode())

    assert isinstance((await shop.row()).outcome, Failed)
    assert await shop.ledger.history(None) == ()
