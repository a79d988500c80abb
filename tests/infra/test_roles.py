"""The role files are ones that Azure takes: their form, and every action one that a resource provider has registered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.simulator.rbac import covers
from tests.infra.bicep import INFRA
from tests.scenarios.rights import SPELLED

FILES = sorted(INFRA.glob("role*.json"))
_LINES = (Path(__file__).parents[1] / "fixtures" / "azure-operations.txt").read_text().splitlines()
REGISTERED = [line for line in _LINES if not line.startswith("#")]
MISSING = [line.removeprefix("#").strip() for line in _LINES if line.startswith("#   ")]
MEMBERS = {
    "Name", "IsCustom", "Description", "Actions", "NotActions", "DataActions", "NotDataActions", "AssignableScopes",
}  # fmt: skip
"""Of a role definition as `az role definition create` takes it (documentation of Azure custom roles)."""

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def role(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def granted(file: Path) -> list[str]:
    return [*role(file)["Actions"], *role(file)["DataActions"]]


@every_file
def test_a_role_has_the_form_that_azure_takes(file: Path) -> None:
    document = role(file)

    assert set(document) == MEMBERS
    assert document["IsCustom"] is True
    assert document["NotActions"] == document["NotDataActions"] == []
    assert all(re.fullmatch(r"/subscriptions/[0-9a-f-]{36}", scope) for scope in document["AssignableScopes"])
    assert len(document["AssignableScopes"]) == 1
    assert len(granted(file)) == len({action.lower() for action in granted(file)}) > 0
    assert len(document["Description"]) <= 1024
    assert re.fullmatch(r"Registry Isolation[\w :]*", document["Name"])


def test_no_two_roles_have_one_name() -> None:
    assert len({role(file)["Name"].lower() for file in FILES}) == len(FILES)


@every_file
def test_every_action_is_one_that_a_resource_provider_has_registered(file: Path) -> None:
    named = [action for action in granted(file) if "*" not in action]

    assert sorted(set(named) - set(REGISTERED)) == []
    assert not set(named) & set(MISSING)


@every_file
def test_a_wildcard_stands_for_one_right_that_azure_has_not_registered_and_for_reads(file: Path) -> None:
    for action in (action for action in granted(file) if "*" in action):
        meant = [each for each in REGISTERED if covers((action,), (), each)]

        assert SPELLED[action] in MISSING
        assert covers((action,), (), SPELLED[action])
        assert meant, "Azure refuses a wildcard, too, that no registered operation fits"
        assert all(each.endswith("/read") for each in meant)
        assert action.count("*") == 1
        assert "*" in action.split("/"), "a whole segment, as in Azure's own roles"
