"""The second look: what counts as broken, and what is merely busy or new."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.core.changes import ClosePublicAccess, CreateZone
from shared.core.policy import IsolationPolicy
from shared.core.registry import ConnectionStatus, Registry, TargetKind
from shared.core.verification import Verification, failing, verification
from tests.core.worlds import (
    NOW,
    ZONES,
    a_policy,
    a_registry,
    an_endpoint,
    closed,
    plan_for,
    private,
    want,
    with_endpoint,
    with_record,
    with_view,
    zone_id,
)

POLICY = a_policy()
READY = private(a_registry(POLICY), POLICY)
CLOSE = ClosePublicAccess(target=READY.id, target_kind=TargetKind.REGISTRY)
UNTIL = NOW + timedelta(minutes=15)


def closing(policy: IsolationPolicy = POLICY, registry: Registry = READY) -> Verification | None:
    return verification((CLOSE,), plan_for(registry, policy), policy, UNTIL, None)


def looked(registry: Registry) -> tuple[tuple[str, ...], bool]:
    wanted = closing()
    assert wanted is not None
    return failing(wanted, plan_for(registry, POLICY), registry, POLICY)


def test_a_closing_behind_the_gate_relies_on_every_endpoint() -> None:
    wanted = closing()
    assert wanted is not None
    assert wanted.until == UNTIL
    endpoints = {want(READY, POLICY, kind).id.key for kind in ("registry", "storage", "acr")}
    assert set(wanted.relied) == endpoints | {f"names:{key}" for key in endpoints}


def test_what_closes_nothing_changes_nothing() -> None:
    before = Verification(until=NOW, relied=())
    zone = CreateZone(zone=zone_id("z"))
    assert verification((zone,), plan_for(READY, POLICY), POLICY, UNTIL, before) is before


@pytest.mark.parametrize("lockdown", [{"rollback_on_failure": False}, {"when": "immediately"}])
def test_there_is_no_second_look_without_a_gate_or_against_the_policy(lockdown: dict[str, object]) -> None:
    policy = a_policy(lockdown=lockdown)
    assert closing(policy, a_registry(policy)) is None


def test_a_way_in_that_holds_is_not_failing() -> None:
    assert looked(closed(READY)) == ((), False)


@pytest.mark.parametrize("status", [ConnectionStatus.REJECTED, ConnectionStatus.DISCONNECTED, ConnectionStatus.PENDING])
def test_an_endpoint_that_is_not_approved_any_more_is(status: ConnectionStatus) -> None:
    wish = want(READY, POLICY, "storage")
    assert looked(closed(with_endpoint(READY, wish, an_endpoint(wish, status=status)))) == ((wish.id.name,), False)


def test_an_endpoint_that_is_gone_is() -> None:
    wish = want(READY, POLICY, "acr")
    left = tuple(endpoint for endpoint in READY.network("hub").endpoints if endpoint.id != wish.id)
    assert looked(closed(with_view(READY, endpoints=left))) == ((wish.id.name,), False)


def test_a_name_without_its_record_is() -> None:
    wish = want(READY, POLICY, "storage")
    lost, _ = looked(closed(with_record(READY, "hub", ZONES["blob"][0], wish.target.id.name)))
    assert lost == (wish.id.name,)


def test_an_endpoint_that_is_being_changed_is_looked_at_later() -> None:
    wish = want(READY, POLICY, "storage")
    assert looked(closed(with_endpoint(READY, wish, an_endpoint(wish, state="Updating")))) == ((), True)


def test_a_region_that_came_meanwhile_was_not_relied_on() -> None:
    grown = a_registry(POLICY, regions=("westeurope", "northeurope"))
    older = replace(grown, networks=READY.networks)
    assert looked(closed(older)) == ((), False)


def test_a_storage_account_that_went_meanwhile_is_not_missed() -> None:
    lost = want(READY, POLICY, "storage")
    targets = tuple(target for target in READY.targets if target.id != lost.target.id)
    endpoints = tuple(endpoint for endpoint in READY.network("hub").endpoints if endpoint.id != lost.id)
    assert looked(closed(with_view(replace(READY, targets=targets), endpoints=endpoints))) == ((), False)
