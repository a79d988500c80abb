"""The timer's door: what it begins, and that nothing is opened or imported before it is needed."""

import random
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import azure.functions as func
import pytest

from handlers.runtime import compose
from handlers.sweep import sweep_step, sweep_timer
from local.host.retries import declared
from shared.core.errors import InvalidSettings
from shared.core.sweeps import SweepMessage, SweepState
from shared.engine.sweep import UNHEARD
from shared.settings import Settings
from tests.core.worlds import a_policy
from tests.fixtures.azurite import azurite
from tests.handlers.decoding import a_context, message, user_function
from tests.started import run

__all__ = ["azurite"]

ROOT = Path(__file__).parents[2]


class Timer(func.TimerRequest):
    past_due = False


@pytest.mark.parametrize(("builder", "given"), [(sweep_timer, Timer()), (sweep_step, message("nonsense"))])
async def test_settings_that_cannot_be_used_are_told_by_the_door(
    builder: object, given: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISOLATION_SWEEP_SCHEDULE", "whenever")
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")

    with pytest.raises(InvalidSettings, match="NCRONTAB"):
        await user_function(builder)(given, a_context())


def test_a_timer_that_failed_runs_again_within_seconds_and_gives_up_before_the_next_hour() -> None:
    policy = declared(sweep_timer)
    assert policy is not None

    delays = [policy.delay(retry, random.Random(retry)) for retry in range(1, policy.most + 1)]

    assert UNHEARD < delays[0] <= timedelta(seconds=10)  # later than a lost beginning is taken up
    assert timedelta(minutes=20) < sum(delays, timedelta()) < timedelta(minutes=50)


def test_messages_of_sweeps_are_brought_again_by_their_queue_and_have_no_policy_beside_it() -> None:
    assert declared(sweep_step) is None


@pytest.mark.slow
async def test_a_sweep_is_begun_in_the_table_and_on_its_own_queue(azurite: str) -> None:
    queue = f"registry-work-{uuid4().hex[:8]}"
    settings = Settings.from_environ({"AzureWebJobsStorage": azurite, "ISOLATION_WORK_QUEUE": queue})
    services = compose(settings, a_policy())

    begun = await services.sweeper.begin("timer", "timer")

    async with services.account.queue(f"{queue}-sweep") as client:
        sent = [SweepMessage.decode(str(one.content)) async for one in client.receive_messages()]
    listed = await services.sweeper.list(1)
    await services.sweeps.aclose()
    await services.sweep_queue.aclose()
    assert sent == [SweepMessage(sweep=begun.id, step=1)]
    assert listed.sweeps == (begun,)
    assert begun.state is SweepState.RUNNING


def test_beginning_a_sweep_imports_no_management_sdk() -> None:
    script = (
        "import sys\n"
        "from handlers.runtime import compose\n"
        "from shared.settings import Settings\n"
        "from tests.core.worlds import a_policy\n"
        "settings = Settings.from_environ({'AzureWebJobsStorage': 'UseDevelopmentStorage=true'})\n"
        "compose(settings, a_policy()).sweeper\n"
        "print([name for name in sys.modules if name.startswith(('azure.mgmt', 'azure.identity'))])\n"
    )
    ran = run([sys.executable, "-c", script], cwd=ROOT)

    assert ran.stdout.strip() == "[]"
