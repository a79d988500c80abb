from dataclasses import replace

from hypothesis import given, settings

from shared.core.approval import Approval, mark
from shared.core.changes import ClosePublicAccess, CreateEndpoint
from shared.core.forecast import forecast
from shared.core.lockdown import Memory
from tests.core.perfect_azure import World, look
from tests.core.start_states import any_world
from tests.core.worlds import NOW, ZONES, a_policy, a_registry

DIGEST = "0" * 64


def test_an_approval_begins_when_it_knows_its_changes() -> None:
    policy = a_policy()
    changes = forecast(a_registry(policy), policy, ZONES, Memory(now=NOW)).changes

    begun = Approval(digest=DIGEST).begin(changes)

    assert not Approval(digest=DIGEST).begun
    assert (begun.begun, begun.digest, begun.strangers(changes)) == (True, DIGEST, ())
    assert begun.begin(reversed(changes)) == begun


def test_a_write_that_is_repeated_or_waits_for_less_is_the_same_change() -> None:
    policy = a_policy()
    changes = forecast(a_registry(policy), policy, ZONES, Memory(now=NOW)).changes
    endpoint = next(change for change in changes if isinstance(change, CreateEndpoint))

    for same in (replace(endpoint, repair=True), replace(endpoint, depends_on=("x",)), replace(endpoint, tags={})):
        assert mark(same) == mark(endpoint)


def test_what_is_written_elsewhere_or_otherwise_is_another_change() -> None:
    policy = a_policy()
    changes = forecast(a_registry(policy), policy, ZONES, Memory(now=NOW)).changes
    endpoint = next(change for change in changes if isinstance(change, CreateEndpoint))
    closing = next(change for change in changes if isinstance(change, ClosePublicAccess))
    approval = Approval(digest=DIGEST).begin([endpoint])

    others = (replace(endpoint, group="other"), replace(endpoint, subnet=endpoint.target), closing)

    assert approval.strangers((endpoint, *others)) == others


@settings(max_examples=30, deadline=None)
@given(any_world())
def test_every_change_of_a_forecast_has_a_mark_of_its_own(world: World) -> None:
    changes = forecast(look(world), world.policy, ZONES, Memory(now=world.now)).changes

    assert len({mark(change) for change in changes}) == len(changes)
