"""What people ask of the app names its registry in the log, whatever comes of it; and so do the lines of others meanwhile."""

import json
import logging
from collections.abc import Iterator

import pytest

from handlers.invocation import composing
from shared.core.arm import ResourceId
from shared.engine.logs import ForeignLines
from shared.engine.ports import LedgerEntry
from tests.core.worlds import a_policy, registry_id
from tests.engine.test_logs import Lines
from tests.handlers.dashboard_rig import Browser
from tests.handlers.decoding import a_context
from tests.handlers.http_rig import Door, path_to

ALPHA = registry_id("alpha")
PLACE = f"/registries/{ALPHA.subscription}/{ALPHA.resource_group}/{ALPHA.name}"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EXCLUDED = a_policy(scope={"subscriptions": [ALPHA.subscription], "registries": {"exclude": ["alp*"]}})


class Broken:
    """A ledger with a bug."""

    async def read(self, registry: ResourceId) -> LedgerEntry | None:
        raise KeyError(registry.name)


@pytest.fixture
def heard() -> Iterator[Lines]:
    """What the Functions worker ships, as it would ship it."""
    root, lines = logging.getLogger(), Lines()
    lines.addFilter(ForeignLines())
    root.addHandler(lines)
    try:
        yield lines
    finally:
        root.removeHandler(lines)


def told(lines: Lines, begin: str) -> dict[str, object]:
    """The object at the end of the first line of the one record that begins like that."""
    (line,) = [line.splitlines()[0] for line in lines.lines if line.startswith(begin)]
    found: dict[str, object] = json.loads(line[line.index("{") :])
    return found


async def test_a_refused_question_names_the_registry_that_it_was_about(heard: Lines) -> None:
    await Door(EXCLUDED).get(path_to(ALPHA))

    assert told(heard, "http ")["registry"] == ALPHA.text


async def test_a_bug_behind_a_question_names_the_registry_beside_its_traceback(heard: Lines) -> None:
    answer = await Door(a_policy(), ledger=Broken()).get(path_to(ALPHA))

    assert answer.status == 500
    assert told(heard, "The HTTP operation")["registry"] == ALPHA.text


async def test_a_page_that_cannot_be_shown_names_its_registry(heard: Lines) -> None:
    browser = Browser(EXCLUDED)
    await browser.sign_in()

    await browser.get(PLACE)

    assert told(heard, "dashboard ")["registry"] == ALPHA.text


def test_a_line_of_an_sdk_names_the_invocation_that_it_was_written_in() -> None:
    root, lines = logging.getLogger(), Lines()
    root.addHandler(lines)
    try:
        with composing(a_context(TRACE), "queue"):
            logging.getLogger("azure.identity").warning("No token.")
    finally:
        root.removeHandler(lines)

    assert told(lines, "No token.") == {"door": "queue", "correlation": TRACE[3:35]}
