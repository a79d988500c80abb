"""What a pass reported becomes findings of one kind, each recognised again in the next report."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.findings import finding
from shared.core.picture import Picture
from shared.core.posture import Posture, at_least, posture_of, rank
from shared.core.registry import Access
from shared.core.report import Reason, Severity
from tests.core.postures import a_finding, a_posture, a_report, an_open_picture
from tests.core.worlds import NOW, a_policy, only, registry_id

ALPHA = registry_id()
LOCKED = Reason(name="Locked", sentence="A lock is in the way.", resource=ALPHA.group.text)


def codes(posture: Posture) -> list[str]:
    return [noted.finding.code for noted in posture.findings]


def closed(picture: Picture) -> Picture:
    return replace(picture, doors=tuple(replace(door, access=Access.CLOSED) for door in picture.doors))


def test_every_open_door_is_an_error_of_its_own() -> None:
    posture = a_posture()

    assert codes(posture) == ["public-access-open"] * 3
    assert [noted.finding.resource for noted in posture.findings] == sorted(
        (door.target for door in posture.doors), key=lambda target: target.key
    )
    assert posture.worst is Severity.ERROR


def test_a_door_that_the_policy_keeps_open_is_a_warning() -> None:
    policy = a_policy(targets=only("registry"))
    posture = posture_of(
        ALPHA, "converged", a_report(ALPHA, "converged"), policy, now=NOW, picture=an_open_picture(policy)
    )

    assert sorted(codes(posture)) == ["public-access-kept", "public-access-kept", "public-access-open"]


def test_where_nothing_is_ever_closed_every_open_door_is_kept() -> None:
    policy = a_policy(lockdown={"when": "never"})
    picture = an_open_picture(policy)

    posture = posture_of(ALPHA, "converged", a_report(ALPHA, "converged"), policy, now=NOW, picture=picture)

    assert set(codes(posture)) == {"public-access-kept"}
    assert "Registry alpha answers" in " ".join(noted.finding.sentence for noted in posture.findings)


def test_closed_doors_say_nothing() -> None:
    policy = a_policy()
    picture = closed(an_open_picture(policy))

    posture = posture_of(ALPHA, "converged", a_report(ALPHA, "converged"), policy, now=NOW, picture=picture)

    assert (posture.findings, posture.open_doors, posture.worst) == ((), (), None)
    assert len(posture.doors) == 3


@pytest.mark.parametrize(
    ("phase", "code"),
    [
        ("blocked", "isolation-blocked"),
        ("failed", "isolation-failed"),
        ("audited", "enforcement-obstacle"),
        ("waiting", "isolation-under-way"),
    ],
)
def test_a_reason_becomes_a_finding_about_what_it_names(phase: str, code: str) -> None:
    posture = a_posture(phase=phase, doors=False, reasons=(LOCKED,))

    (noted,) = posture.findings
    assert (noted.finding.code, noted.finding.resource) == (code, ALPHA.group)
    assert "Locked: A lock is in the way." in noted.finding.sentence


def test_a_reason_that_names_no_resource_is_about_the_registry() -> None:
    (noted,) = a_posture(phase="blocked", doors=False, reasons=(replace(LOCKED, resource="the moon"),)).findings

    assert noted.finding.resource == ALPHA


def test_what_would_be_closed_by_and_by_is_said_by_the_doors_alone() -> None:
    assert a_posture(doors=False, reasons=(replace(LOCKED, name="Lockdown"),)).findings == ()


def test_a_failure_without_a_reason_is_told_all_the_same() -> None:
    assert codes(a_posture(phase="failed", doors=False)) == ["isolation-failed"]


def test_a_paused_registry_says_so_and_nothing_of_changes() -> None:
    assert codes(a_posture(phase="paused", doors=False, changes=("create it",))) == ["enforcement-paused"]


def test_an_exempt_registry_tells_of_its_open_doors_only() -> None:
    assert set(codes(a_posture(phase="exempt", changes=("create it",), reasons=(LOCKED,)))) == {"public-access-open"}


def test_a_registry_that_is_gone_has_no_doors_left_to_tell_of() -> None:
    assert codes(a_posture(phase="gone")) == []


def test_a_registry_that_nobody_has_looked_at_is_unknown_not_sound() -> None:
    posture = posture_of(ALPHA, "requested", None, a_policy(), now=NOW)

    assert codes(posture) == ["posture-unknown"]
    assert posture.looked is None
    assert posture.worst is Severity.WARNING


def test_why_nothing_is_known_is_said() -> None:
    (noted,) = posture_of(ALPHA, "converged", None, a_policy(), now=NOW, unknown="The row is torn.").findings

    assert noted.finding.sentence.endswith("The row is torn.")


def test_findings_come_the_worst_first() -> None:
    posture = a_posture(findings=(a_finding("x"), finding("metadata-public", ALPHA, registry="alpha")))

    ranks = [rank(noted.finding.severity) for noted in posture.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert {"error", "warning", "info"} == {noted.finding.severity.value for noted in posture.findings}


@pytest.mark.parametrize(("severity", "count"), [(Severity.INFO, 5), (Severity.WARNING, 4), (Severity.ERROR, 3)])
def test_findings_can_be_asked_for_by_severity(severity: Severity, count: int) -> None:
    posture = a_posture(findings=(a_finding("x"), finding("metadata-public", ALPHA, registry="alpha")))

    assert len(at_least(posture, severity)) == count


def test_exemptions_that_hold_today_are_named() -> None:
    assert [exemption.registry for exemption in a_posture("exempt-2").exemptions] == ["exempt-*"]
    assert a_posture("alpha").exemptions == ()


# --- fingerprints -----------------------------------------------------------------------------------------------------


def prints(posture: Posture) -> list[str]:
    return [noted.fingerprint for noted in posture.findings]


def test_a_fingerprint_does_not_depend_on_days_that_are_left() -> None:
    assert prints(a_posture(findings=(a_finding("3 days left"),))) == prints(
        a_posture(findings=(a_finding("2 days left"),))
    )


def test_a_fingerprint_depends_on_what_is_found_and_of_whom() -> None:
    one, other, elsewhere = (
        a_posture(findings=(a_finding("x"),), doors=False),
        a_posture(findings=(a_finding("y"),), doors=False),
        a_posture("beta", findings=(a_finding("x"),), doors=False),
    )

    assert len({*prints(one), *prints(other), *prints(elsewhere)}) == 3


@given(st.lists(st.sampled_from(["a 1", "a 2", "b", "b", "c 10"]), max_size=6))
def test_fingerprints_are_unique_and_the_same_in_any_order(sentences: list[str]) -> None:
    found = tuple(map(a_finding, sentences))
    posture = a_posture(findings=found, doors=False)

    assert len(set(prints(posture))) == len(posture.findings) == len(set(found))
    assert a_posture(findings=found[::-1], doors=False) == posture


def test_the_moment_of_the_look_is_the_reports_own() -> None:
    assert a_posture().looked == NOW - timedelta(minutes=5)
