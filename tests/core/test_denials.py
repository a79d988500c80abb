"""Deny assignments: whom they keep from what."""

import pytest

from shared.core.arm import ResourceId
from shared.core.denials import EVERYONE, Denials, DenyAssignment, denial_findings
from shared.core.registry import ACR_TYPE, STORAGE_TYPE
from tests.core.worlds import MANAGED, group_id, registry_id

APP = "11111111-1111-4111-8111-111111111111"
STORAGE = MANAGED.resource(STORAGE_TYPE, "st1")
WRITE = f"{STORAGE_TYPE}/write"


def denial(**changed: object) -> DenyAssignment:
    values: dict[str, object] = {
        "name": "protects",
        "scope": MANAGED.text.upper(),
        "permissions": ((("*",), ("*/read",)),),
        "principals": (EVERYONE,),
    }
    return DenyAssignment(**values | changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "action", "resource", "denied"),
    [
        ({}, WRITE, STORAGE, True),
        ({}, f"{STORAGE_TYPE}/read", STORAGE, False),
        ({"permissions": (((f"{ACR_TYPE}/*",), ()),)}, WRITE, STORAGE, False),
        ({"permissions": (((f"{ACR_TYPE}/*",), ()), (("microsoft.storage/*/WRITE",), ()))}, WRITE, STORAGE, True),
        ({"principals": (APP.upper(),)}, WRITE, STORAGE, True),
        ({"principals": ("somebody",)}, WRITE, STORAGE, False),
        ({"spared": (APP.upper(),)}, WRITE, STORAGE, False),
        ({"spared": ("somebody",)}, WRITE, STORAGE, True),
        ({"spared": ("a-group",), "spares_groups": True}, WRITE, STORAGE, False),
        ({"children": False}, WRITE, STORAGE, False),
        ({}, WRITE, group_id("azureml-rg-other").resource(STORAGE_TYPE, "st1"), False),
        ({"scope": STORAGE.text, "children": False}, WRITE, STORAGE, True),
    ],
)
def test_a_deny_assignment_holds_for_its_principals_actions_and_scope(
    changed: dict[str, object], action: str, resource: ResourceId, *, denied: bool
) -> None:
    assert denial(**changed).denies(APP, action, resource) is denied


def test_an_unknown_principal_is_never_said_to_be_denied() -> None:
    assert Denials(assignments=(denial(),)).against_writing(STORAGE) is None


def test_what_could_not_be_read_is_told_with_the_permission_that_is_missing() -> None:
    (finding,) = denial_findings(Denials(principal=APP, problem="No."), (STORAGE,), registry_id())

    assert finding.code == "deny-assignments-unreadable"
    assert "denyAssignments/read" in finding.sentence


def test_one_deny_assignment_is_told_once_for_all_parts() -> None:
    acr = MANAGED.resource(ACR_TYPE, "acr1")
    (finding,) = denial_findings(Denials(principal=APP, assignments=(denial(),)), (STORAGE, acr), registry_id())

    assert finding.code == "deny-assignment"
    assert "st1, acr1" in finding.sentence
    assert APP in finding.sentence
