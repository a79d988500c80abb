from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.changes import (
    CHANGES,
    Change,
    ClosePublicAccess,
    CreateEndpoint,
    CreateZone,
    DeleteEndpoint,
    LinkZone,
    PutZoneGroup,
    key_of,
)
from shared.core.errors import Fate, UnsafePlan
from shared.core.plan import Plan, Wait, guard, in_order
from shared.core.registry import TargetKind
from shared.core.report import Finding, Reason, Severity
from tests.core.worlds import MANAGED, group_id, registry_id, subnet_id, zone_id

REASON = Reason(name="Some", sentence="Something.")
ZONE = zone_id("privatelink.blob.core.windows.net")
ENDPOINT = group_id("rg-hub").resource("Microsoft.Network/privateEndpoints", "pe-alpha")
CLOSE = ClosePublicAccess(target=registry_id(), target_kind=TargetKind.REGISTRY)


def zone(number: int, *after: Change) -> CreateZone:
    return CreateZone(
        zone=zone_id(f"privatelink.zone{number}.net"), depends_on=tuple(key_of(change) for change in after)
    )


def a_plan(*changes: Change, verified: bool = False) -> Plan:
    return Plan(registry=registry_id(), changes=changes, verified=verified)


def refusal(plan: Plan, *, limit: int = 60, gated: bool = True, healthy: frozenset[ResourceId] = frozenset()) -> str:
    with pytest.raises(UnsafePlan) as refused:
        guard(plan, limit=limit, closing_needs_verification=gated, healthy=healthy)
    assert refused.value.fate is Fate.BLOCKED
    return refused.value.sentence


def test_a_plan_is_converged_when_nobody_has_anything_to_do() -> None:
    assert a_plan().converged
    assert not Plan(registry=registry_id()).verified
    assert not a_plan(CLOSE).converged
    assert not replace(a_plan(), waits=(Wait(reason=REASON, delay=timedelta(seconds=1)),)).converged
    assert not replace(a_plan(), blocks=(REASON,)).converged
    assert replace(a_plan(), findings=(Finding(code="x", severity=Severity.INFO, sentence="x"),)).converged


def test_a_plan_about_a_text_that_no_encoder_takes_has_a_digest() -> None:
    odd = replace(CREATE, tags={"owner": "\ud800"})

    assert len(a_plan(odd).digest) == len(a_plan(CREATE).digest)
    assert a_plan(odd).digest != a_plan(CREATE).digest


# --- digest -----------------------------------------------------------------------------------------------------------

CREATE = CreateEndpoint(
    endpoint=ENDPOINT,
    location="westeurope",
    subnet=subnet_id(),
    target=MANAGED.resource("Microsoft.Storage/storageAccounts", "st0"),
    group="blob",
    tags={"a": "1", "b": "2"},
)
PUT = PutZoneGroup(
    endpoint=ENDPOINT,
    name="default",
    zones={"one": ZONE, "two": zone_id("privatelink.azurecr.io")},
    depends_on=(key_of(CREATE), key_of(CreateZone(zone=ZONE))),
)
SOME: tuple[Change, ...] = (CREATE, CreateZone(zone=ZONE), PUT, CLOSE)


def test_a_plan_without_changes_has_no_digest() -> None:
    assert a_plan().digest == ""


@given(st.permutations(SOME))
def test_the_digest_does_not_depend_on_the_order_of_changes(changes: list[Change]) -> None:
    assert a_plan(*changes).digest == a_plan(*SOME).digest
    assert len(a_plan(*SOME).digest) == 64


def test_the_digest_does_not_depend_on_the_order_inside_a_change() -> None:
    turned = replace(PUT, depends_on=tuple(reversed(PUT.depends_on)), zones=dict(reversed(PUT.zones.items())))

    assert a_plan(turned).digest == a_plan(PUT).digest


def test_the_digest_does_not_depend_on_the_casing_of_azures_answers() -> None:
    loud = CHANGES.validate_json(CHANGES.dump_json(SOME).replace(b"resourceGroups", b"RESOURCEGROUPS"))

    assert Plan(registry=registry_id("ALPHA"), changes=loud).digest == a_plan(*SOME).digest


def test_casing_is_casing_in_every_script() -> None:
    one, other = (
        CreateZone(zone=zone_id("privatelink.blob.net", home)) for home in ("rg-\u00c4\u0416", "rg-\u00e4\u0436")
    )

    assert a_plan(one).digest == a_plan(other).digest


def test_the_digest_does_not_depend_on_what_surrounds_the_changes() -> None:
    surrounded = replace(
        a_plan(*SOME),
        findings=(Finding(code="x", severity=Severity.INFO, sentence="x"),),
        waits=(Wait(reason=REASON, delay=timedelta(seconds=1)),),
        blocks=(REASON,),
        verified=True,
        broken=("x",),
        sound=("y",),
    )

    assert surrounded.digest == a_plan(*SOME).digest


@pytest.mark.parametrize(
    "other",
    [
        Plan(registry=registry_id("beta"), changes=SOME),
        a_plan(*SOME[1:]),
        a_plan(*SOME, SOME[0]),
        a_plan(replace(CREATE, repair=True), *SOME[1:]),
        a_plan(replace(CREATE, tags={}), *SOME[1:]),
        a_plan(*SOME[:2], replace(PUT, depends_on=()), CLOSE),
        a_plan(*SOME[:2], replace(PUT, zones={"one": ZONE}), CLOSE),
        a_plan(*SOME[:3], replace(CLOSE, target_kind=TargetKind.ACR)),
    ],
)
def test_another_registry_or_another_write_is_another_digest(other: Plan) -> None:
    assert other.digest != a_plan(*SOME).digest


# --- guard ------------------------------------------------------------------------------------------------------------


def test_a_safe_plan_passes_the_guard_as_it_is() -> None:
    plan = a_plan(*SOME, verified=True)

    assert guard(plan, limit=4, closing_needs_verification=True, healthy=frozenset({ENDPOINT})) is plan


def test_more_changes_than_allowed_are_refused_with_both_numbers() -> None:
    assert "It holds 3 changes, more than limits.changes_per_registry (2) allows." in refusal(
        a_plan(*SOME[:3]), limit=2
    )


def test_closing_before_verification_is_refused() -> None:
    sentence = refusal(a_plan(CLOSE))

    assert (
        "It would disable public network access of registry alpha before every endpoint and name is verified."
        in sentence
    )


def test_closing_at_once_passes_where_the_policy_asks_for_it() -> None:
    plan = a_plan(CLOSE)

    assert guard(plan, limit=1, closing_needs_verification=False, healthy=frozenset()) is plan


def test_deleting_an_approved_endpoint_is_refused() -> None:
    plan = a_plan(DeleteEndpoint(endpoint=ENDPOINT))

    assert "It would delete pe-alpha, which is approved and in use." in refusal(
        plan, healthy=frozenset({ResourceId.parse(ENDPOINT.text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))})
    )
    assert guard(plan, limit=1, closing_needs_verification=True, healthy=frozenset()) is plan


def test_doing_a_thing_twice_is_refused() -> None:
    assert f"It would do create-zone:{ZONE.key} twice." in refusal(a_plan(CreateZone(zone=ZONE), CreateZone(zone=ZONE)))


def test_every_reason_for_refusing_is_told_at_once() -> None:
    sentence = refusal(a_plan(CLOSE, CLOSE, DeleteEndpoint(endpoint=ENDPOINT)), limit=2, healthy=frozenset({ENDPOINT}))

    assert all(word in sentence for word in ("3 changes", "twice", "before every endpoint", "approved and in use"))


# --- order ------------------------------------------------------------------------------------------------------------


def test_each_change_comes_after_those_it_depends_on() -> None:
    first, second, third = zone(1), zone(2, zone(1)), zone(3, zone(2))

    assert in_order((third, second, first)) == (first, second, third)


def test_changes_that_do_not_wait_keep_their_order() -> None:
    assert in_order((zone(3), zone(1), zone(2))) == (zone(3), zone(1), zone(2))


def test_what_is_not_in_the_plan_is_not_waited_for() -> None:
    link = LinkZone(
        zone=ZONE,
        link=ZONE.child("virtualNetworkLinks", "x"),
        network=subnet_id().parent,
        depends_on=(key_of(CreateZone(zone=ZONE)),),
    )

    assert in_order((link,)) == (link,)


def test_changes_that_wait_for_one_another_are_refused_by_name() -> None:
    one, two = zone(1, zone(2)), zone(2, zone(1))

    with pytest.raises(UnsafePlan) as refused:
        in_order((zone(3), one, two))

    assert f"Its changes wait for one another: {key_of(one)}, {key_of(two)}." in refused.value.sentence


@given(st.data())
def test_any_tangle_without_a_circle_is_put_in_order_and_loses_nothing(data: st.DataObject) -> None:
    tangle: list[Change] = []
    for number in range(data.draw(st.integers(0, 8))):
        after = data.draw(st.lists(st.sampled_from(tangle), unique_by=key_of)) if tangle else []
        tangle.append(zone(number, *after))

    ordered = in_order(tuple(data.draw(st.permutations(tangle))))

    assert sorted(map(key_of, ordered)) == sorted(map(key_of, tangle))
    places = {key_of(change): place for place, change in enumerate(ordered)}
    assert all(places[key] < places[key_of(change)] for change in ordered for key in change.depends_on)
