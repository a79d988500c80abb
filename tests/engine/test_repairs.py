"""What counts as a repair that was tried, and what of the app's own endpoints is remembered."""

from dataclasses import replace

import pytest

from shared.core.audit import Effect
from shared.core.changes import Change, DeleteEndpoint, DeleteZoneGroup, key_of
from shared.core.errors import Locked
from shared.core.names import repair_key
from shared.core.report import Converged, Outcome, Waiting
from shared.engine.results import recognise, without_deletion
from tests.core.worlds import a_policy, a_registry, private
from tests.engine.test_apply import ENDPOINT, GROUP
from tests.engine.test_results import FAILED, Booking, an_operation, ended
from tests.scenarios.house import as_id
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
POLICY = a_policy()
DELETE = DeleteEndpoint(endpoint=ENDPOINT.endpoint)
DELETE_GROUP = DeleteZoneGroup(endpoint=ENDPOINT.endpoint, name="default")
ITSELF, NAMES = ENDPOINT.endpoint.key, repair_key(ENDPOINT.endpoint)


@pytest.mark.parametrize(("change", "key"), [(DELETE, ITSELF), (DELETE_GROUP, NAMES)])
def test_a_deletion_that_failed_made_nothing_anew_and_is_tried_again(change: Change, key: str) -> None:
    before = {ITSELF: 2, NAMES: 3, "other": 2}

    assert without_deletion(before, change) == before | {key: before[key] - 1}
    assert without_deletion({"other": 2}, change) == {"other": 2}


@pytest.mark.parametrize("change", [ENDPOINT, GROUP])
def test_a_repair_by_a_write_that_failed_was_tried(change: Change) -> None:
    assert without_deletion({ITSELF: 1, NAMES: 1}, change) == {ITSELF: 1, NAMES: 1}


async def test_only_a_failure_that_may_pass_is_not_counted() -> None:
    its = Booking(operations=(an_operation(DELETE),), repairs={ITSELF: 2})
    assert its.settle((DELETE, ended(Locked("A lock.")))) is None
    assert its.work.row.repairs == {ITSELF: 2}

    its = Booking(operations=(an_operation(DELETE),), repairs={ITSELF: 2})
    assert its.settle((DELETE, ended(FAILED))) is FAILED
    assert its.work.row.repairs == {ITSELF: 1}


async def test_an_endpoint_that_went_while_the_app_was_away_is_not_remembered() -> None:
    registry = private(a_registry(POLICY), POLICY)
    mine = registry.networks[0].endpoints[0]
    home = f"{mine.id.group.text}/providers/{mine.id.type}"
    gone, unseen, left = (as_id(f"{home}/pe-{name}") for name in ("gone", "unseen", "left"))
    effects = {key_of(DeleteEndpoint(endpoint=each)): Effect() for each in (gone, left, mine.id)}
    its = Booking(made=(mine.id, gone, unseen, left), effects=effects, managed_group=registry.managed_group.key)

    recognise(its.work, replace(registry, left_over=(replace(mine, id=left),)))

    assert its.work.row.made[:3] == (mine.id, unseen, left)
    assert gone not in its.work.row.made


@pytest.mark.parametrize(
    ("before", "propagated", "kept"),
    [
        (Converged(), False, False),
        (Waiting(until=EPOCH, reasons=()), False, True),
        (Waiting(until=EPOCH, reasons=()), True, False),
        (None, False, True),
    ],
    ids=str,
)
async def test_what_was_noted_and_never_made_is_forgotten_once_all_is_well(
    before: Outcome | None, *, propagated: bool, kept: bool
) -> None:
    """While something is still being made, a list that leaves it out may be too old to know it."""
    registry = private(a_registry(POLICY), POLICY)
    mine = registry.networks[0].endpoints[0].id
    never, unread = (as_id(f"{mine.group.text}/providers/{mine.type}/pe-{name}") for name in ("never", "unread"))
    group = registry.managed_group.key
    its = Booking(made=(mine, never, unread), managed_group=group, outcome=before, propagated=propagated)

    recognise(its.work, replace(registry, absent=(never,)))

    assert (never in its.work.row.made) is kept
    assert {mine, unread} < set(its.work.row.made)


async def test_that_all_was_well_before_the_registry_was_made_anew_says_nothing_of_the_new_one() -> None:
    registry = private(a_registry(POLICY), POLICY)
    noted = as_id(
        f"{registry.networks[0].endpoints[0].id.group.text}/providers/Microsoft.Network/privateEndpoints/pe-noted"
    )
    its = Booking(made=(noted,), managed_group="/subscriptions/s/resourcegroups/earlier", propagated=True)

    recognise(its.work, replace(registry, absent=(noted,)))

    assert noted in its.work.row.made
    assert not its.work.row.propagated
