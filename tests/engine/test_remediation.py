"""A person's word for one registry: what it needs to be taken, and what it then leaves in the row."""

from collections.abc import Awaitable, Callable

import pytest

from shared.core.arm import ResourceId
from shared.core.errors import OutOfScope, UnknownRegistry
from shared.core.requests import WorkMessage
from shared.engine.remediation import Remediation
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import ALPHA, Desk
from tests.engine.remediating import remediation_of

pytestmark = pytest.mark.virtual_time
PERSON = "somebody"
type Word = Callable[[Remediation, ResourceId], Awaitable[WorkMessage]]
WORDS: dict[str, Word] = {
    "undo": lambda made, registry: made.undo(registry, caller=PERSON, why="because"),
    "pause": lambda made, registry: made.pause(registry, caller=PERSON, why="because"),
    "resume": lambda made, registry: made.resume(registry, caller=PERSON),
}
every_word = pytest.mark.parametrize("word", WORDS.values(), ids=WORDS)


@every_word
async def test_of_a_registry_that_nobody_knows_there_is_nothing_to_undo_pause_or_resume(word: Word) -> None:
    desk = Desk()

    with pytest.raises(UnknownRegistry, match="knows nothing of registry alpha"):
        await word(remediation_of(desk), ALPHA)

    assert await desk.ledger.read(ALPHA) is None
    assert len(desk.queue) == 0


@every_word
async def test_a_word_about_a_registry_out_of_scope_reaches_neither_row_nor_queue(word: Word) -> None:
    desk = Desk(policy=a_policy(scope={"subscriptions": [ALPHA.subscription], "registries": {"exclude": ["beta"]}}))
    beta = registry_id("beta")
    await desk.ask(beta)
    before = await desk.ledger.read(beta)

    with pytest.raises(OutOfScope):
        await word(remediation_of(desk), beta)

    assert await desk.ledger.read(beta) == before
    assert len(desk.queue) == 1


async def test_each_word_about_a_known_registry_is_a_request_of_its_own_in_that_persons_name() -> None:
    desk = Desk()
    asked = await desk.ask()
    made = remediation_of(desk)

    told = [await word(made, ALPHA) for word in WORDS.values()]

    assert [message.generation - asked.generation for message in told] == [1, 2, 3]
    row = await desk.row()
    assert (row.caller, row.paused) == (PERSON, None)
    kinds = [(entry.subject, entry.caller) for entry in (await desk.ledger.history_page(ALPHA, 10)).entries]
    assert sum(caller == PERSON for _, caller in kinds) == len(WORDS)
