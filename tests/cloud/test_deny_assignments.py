"""Deny assignments as Azure tells them."""

from typing import Any

import pytest

from shared.cloud.deny_assignments import assignment_of
from shared.core.denials import EVERYONE

SCOPE = "/subscriptions/s/resourceGroups/azureml-rg-contoso"


def told(**changed: Any) -> dict[str, Any]:
    properties = {
        "denyAssignmentName": "protects",
        "scope": SCOPE,
        "permissions": [{"actions": ["*"], "notActions": ["*/read"]}, {"actions": ["a/b"], "notActions": []}],
        "principals": [{"id": EVERYONE, "type": "SystemDefined"}],
        "excludePrincipals": [{"id": "one", "type": "ServicePrincipal"}],
        "doNotApplyToChildScopes": False,
    }
    return {"id": f"{SCOPE}/providers/x", "properties": properties | changed}


def test_every_member_that_decides_is_read() -> None:
    read = assignment_of(told())

    assert (read.name, read.scope, read.children) == ("protects", SCOPE, True)
    assert read.permissions == ((("*",), ("*/read",)), (("a/b",), ()))
    assert (read.principals, read.spared, read.spares_groups) == ((EVERYONE,), ("one",), False)


def test_a_spared_group_is_noticed() -> None:
    assert assignment_of(told(excludePrincipals=[{"id": "g", "type": "Group"}])).spares_groups


def test_one_that_ends_at_its_scope_is_noticed() -> None:
    assert not assignment_of(told(doNotApplyToChildScopes=True)).children


@pytest.mark.parametrize(
    "document", [{}, {"properties": None}, {"properties": {"permissions": "x", "principals": [1]}}]
)
def test_a_malformed_one_denies_nothing(document: dict[str, Any]) -> None:
    read = assignment_of(document)

    assert read.permissions == ()
    assert read.principals == ()
