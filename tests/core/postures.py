"""Postures in a line, for the tests of reports."""

from datetime import timedelta
from typing import Any

from shared.core.arm import ResourceId
from shared.core.findings import finding
from shared.core.picture import Picture, picture_of
from shared.core.policy import IsolationPolicy
from shared.core.posture import Posture, posture_of
from shared.core.report import Finding, Report
from shared.core.reports import Origin
from tests.core.worlds import NOW, a_policy, a_registry, registry_id

ORIGIN = Origin(version="1.2.3", findings_page="https://docs.example/findings/")
HOSTILE = "=cmd|' /C calc'!A0<script>alert(1)</script>[x](https://evil.example){0}\"'&\r\n"
OWNER = {"owner": HOSTILE, "reason": HOSTILE, "expires": "2027-01-31"}


def an_open_picture(policy: IsolationPolicy) -> Picture:
    """Everything of registry `alpha` answers everybody."""
    return picture_of(a_registry(policy), NOW)


def a_report(registry: ResourceId, phase: str, **members: Any) -> Report:
    return Report(registry=registry, at=NOW - timedelta(minutes=5), phase=phase, **members)


def a_posture(name: str = "alpha", phase: str = "audited", *, doors: bool = True, **members: Any) -> Posture:
    """Registry *name* after a pass that ended in *phase*; open unless *doors* is false."""
    policy = a_policy(mode="audit", exemptions=[{"registry": "exempt-*", "targets": ["acr"], **OWNER}])
    registry = registry_id(name)
    report = a_report(registry, phase, **members)
    picture = an_open_picture(policy) if doors else None
    return posture_of(registry, phase, report, policy, now=NOW, picture=picture, verified=NOW)


def hostile() -> Posture:
    """Everything that somebody else may have written is meant to do harm."""
    return a_posture("exempt-1", findings=(a_finding(HOSTILE),), changes=(HOSTILE,), doors=False)


def a_finding(sentence: str) -> Finding:
    return finding("dns-zone-unexpected", registry_id(), sentence=sentence)
