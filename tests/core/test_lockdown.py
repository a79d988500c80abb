from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.core.changes import ClosePublicAccess, key_of
from shared.core.lockdown import Closing, Memory, asks_closing, plan_closing
from shared.core.policy import IsolationPolicy
from shared.core.registry import Access, Registry, TargetKind
from tests.core.worlds import NOW, a_policy, a_registry, closed, names_of, with_target

POLICY = a_policy()
NEW = a_registry(POLICY, regions=("westeurope", "eastus"))
HALF = closed(NEW, TargetKind.REGISTRY)
KEEP = {"public_access": "keep"}


def plan(registry: Registry, policy: IsolationPolicy = POLICY, *, verified: bool = True, **memory: Any) -> Closing:
    return plan_closing(registry, policy, Memory(**{"now": NOW, **memory}), verified=verified)


def closes(closing: Closing) -> list[str]:
    assert all(isinstance(change, ClosePublicAccess) for change in closing.changes)
    return [change.resource.name for change in closing.changes]


def when(moment: str, **targets: Any) -> IsolationPolicy:
    return a_policy(lockdown={"when": moment}, targets=targets)


def test_nothing_is_closed_before_the_gate_opens() -> None:
    assert plan(NEW, verified=False) == Closing()


def test_the_registry_is_closed_first_and_the_rest_waits_for_azure() -> None:
    closing = plan(NEW)

    assert closing.changes == [ClosePublicAccess(target=NEW.id, target_kind=TargetKind.REGISTRY)]
    assert names_of(closing.waits) == ["Propagation"] * 3
    assert closing.waits[0].reason.sentence == "Waiting for Azure to close stwesteurope0 after its registry."
    assert [wait.watched for wait in closing.waits] == list(NEW.targets[1:])
    assert {wait.after for wait in closing.waits} == {key_of(closing.changes[0])}


def test_azure_gets_its_time_to_close_the_rest_after_the_app_closed_the_registry() -> None:
    closing = plan(HALF, closed_since=NOW - timedelta(minutes=15) + timedelta(seconds=1))

    assert closing.changes == []
    assert [wait.delay for wait in closing.waits] == [timedelta(seconds=15)] * 3
    assert {wait.after for wait in closing.waits} == {""}


def test_what_azure_has_not_closed_in_its_time_the_app_closes() -> None:
    closing = plan(HALF, closed_since=NOW - timedelta(minutes=15))

    assert closes(closing) == ["stwesteurope0", "steastus0", "acralpha"]
    assert closing.waits == []


def test_the_time_that_azure_gets_is_the_policys() -> None:
    policy = a_policy(lockdown={"propagation_minutes": 0})

    assert closes(plan(HALF, policy, closed_since=NOW)) == ["stwesteurope0", "steastus0", "acralpha"]


def test_a_registry_that_was_closed_long_ago_leaves_nothing_to_wait_for() -> None:
    assert closes(plan(HALF)) == ["stwesteurope0", "steastus0", "acralpha"]


def test_what_is_opened_after_everything_was_closed_does_not_wait_for_azure() -> None:
    closing = plan(HALF, closed_since=NOW - timedelta(minutes=1), propagated=True)

    assert closing.waits == []
    assert len(closes(closing)) == 3


def test_only_what_is_open_is_closed() -> None:
    assert closes(plan(closed(NEW, TargetKind.REGISTRY, TargetKind.STORAGE))) == ["acralpha"]
    assert plan(closed(NEW)) == Closing()


def test_drift_is_closed_in_the_same_order() -> None:
    reopened = with_target(closed(NEW), TargetKind.REGISTRY, access=Access.OPEN)

    assert closes(plan(reopened, closed_since=NOW - timedelta(days=1))) == ["alpha"]


def test_immediately_does_not_wait_for_the_gate_but_for_the_registry() -> None:
    closing = plan(NEW, when("immediately"), verified=False)

    assert closes(closing) == ["alpha"]
    assert names_of(closing.waits) == ["Propagation"] * 3
    assert closes(plan(HALF, when("immediately"), verified=False)) == ["stwesteurope0", "steastus0", "acralpha"]


@pytest.mark.parametrize("verified", [True, False])
def test_never_closes_nothing(*, verified: bool) -> None:
    assert plan(NEW, when("never"), verified=verified) == Closing()
    assert not any(asks_closing(target, when("never")) for target in NEW.targets)


@pytest.mark.parametrize("kind", TargetKind)
def test_what_the_policy_keeps_stays_open(kind: TargetKind) -> None:
    policy = when("verified", **{kind.value: KEEP})

    assert [target.kind for target in NEW.targets if not asks_closing(target, policy)] == [
        target.kind for target in NEW.targets if target.kind is kind
    ]


def test_storage_does_not_wait_for_a_registry_that_stays_open() -> None:
    assert closes(plan(NEW, when("verified", registry=KEEP))) == ["stwesteurope0", "steastus0", "acralpha"]


@pytest.mark.parametrize("verified", [True, False])
def test_a_container_registry_that_is_not_premium_cannot_be_closed(*, verified: bool) -> None:
    closing = plan(with_target(HALF, TargetKind.ACR, sku="Basic"), verified=verified)

    assert closes(closing) == (["stwesteurope0", "steastus0"] if verified else [])
    assert names_of(closing.blocks) == ["UnsupportedSku"]
    assert "its sku is Basic" in closing.blocks[0].sentence
    assert "targets.acr.public_access to keep" in closing.blocks[0].sentence


def test_an_unknown_sku_is_called_that() -> None:
    assert "its sku is unknown" in plan(with_target(HALF, TargetKind.ACR, sku="")).blocks[0].sentence


def test_nobody_waits_for_a_registry_that_is_exempt() -> None:
    exempt = replace(NEW, targets=NEW.targets[1:])

    assert closes(plan(exempt)) == ["stwesteurope0", "steastus0", "acralpha"]
    assert plan(exempt).waits == []


def test_the_registry_never_waits_for_itself() -> None:
    reread = replace(NEW, document=replace(NEW.document, target=replace(NEW.targets[0])))

    assert closes(plan(reread)) == ["alpha"]


def test_a_container_registry_that_is_closed_may_have_any_sku() -> None:
    assert plan(with_target(closed(NEW), TargetKind.ACR, sku="Basic")) == Closing()
