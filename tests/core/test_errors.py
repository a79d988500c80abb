import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.core import errors
from shared.core.errors import Fate, InvalidPolicy, InvalidSettings, RegistryIsolationError, Temporary, UnsafePlan


def family(root: type[RegistryIsolationError]) -> Iterator[type[RegistryIsolationError]]:
    for child in root.__subclasses__():
        yield child
        yield from family(child)


TREE = sorted(set(family(RegistryIsolationError)), key=lambda leaf: leaf.__name__)
LEAVES = [leaf for leaf in TREE if not leaf.__subclasses__()]
DRAWN = errors.__doc__ or ""
LISTS = (InvalidSettings, InvalidPolicy, UnsafePlan)


@pytest.mark.parametrize("leaf", TREE, ids=lambda leaf: leaf.__name__)
def test_every_error_is_drawn_in_the_tree_and_explained(leaf: type[RegistryIsolationError]) -> None:
    assert re.search(rf"\b{leaf.__name__}\b", DRAWN)
    assert leaf.__doc__


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_every_leaf_has_the_fate_that_the_tree_shows(leaf: type[RegistryIsolationError]) -> None:
    line = next(line for line in DRAWN.splitlines() if re.search(rf"\b{leaf.__name__}\b", line))
    shown = re.search("|".join(fate.value.replace("-", " ") for fate in Fate), line)

    assert shown is None or shown[0] == leaf.fate.value.replace("-", " ")


def test_the_fates_divide_the_tree_as_its_branches_say() -> None:
    by_fate = {fate: {leaf.__name__ for leaf in LEAVES if leaf.fate is fate} for fate in Fate}

    assert by_fate[Fate.RETRY_NOW] == {"Throttled", "Unavailable", "Busy"}
    assert by_fate[Fate.RETRY_LATER] == {"NotReadyYet", "AccessDenied", "DeadlineExceeded", "WorkUnderWay"}
    assert by_fate[Fate.OBSERVE_AGAIN] == {"ChangedUnderneath", "OperationFailed"}
    assert by_fate[Fate.PERMANENT] == {
        "MalformedResourceId",
        "MalformedEvent",
        "MalformedMessage",
        "MalformedCursor",
        "MalformedRequest",
        "RequestTooLarge",
        "WrongMediaType",
        "OutOfScope",
        "UnknownRegistry",
        "UnknownSweep",
        "UnknownPage",
        "CrossSite",
        "NotAllowed",
        "InvalidSettings",
        "InvalidPolicy",
    }
    assert {leaf.__name__ for leaf in family(errors.Blocked)} | {"UnsafePlan"} == by_fate[Fate.BLOCKED]


@pytest.mark.parametrize("leaf", [leaf for leaf in LEAVES if leaf not in LISTS], ids=lambda leaf: leaf.__name__)
def test_an_error_carries_its_sentence_and_what_it_is_about(leaf: type[RegistryIsolationError]) -> None:
    error = leaf("Something happened.", code="Code", resource_id="/x", operation="PUT y")

    assert str(error) == error.sentence == "Something happened."
    assert (error.code, error.resource_id, error.operation) == ("Code", "/x", "PUT y")
    assert error.name == leaf.__name__


@pytest.mark.parametrize(
    "leaf", [leaf for leaf in LEAVES if issubclass(leaf, Temporary)], ids=lambda leaf: leaf.__name__
)
def test_a_temporary_error_says_when_to_come_back_if_azure_did(leaf: type[Temporary]) -> None:
    assert leaf("x", retry_after=timedelta(seconds=3)).retry_after == timedelta(seconds=3)
    assert leaf("x").retry_after is None


def test_lists_of_problems_stay_lists_and_are_all_in_the_sentence() -> None:
    settings, policy, plan = (
        InvalidSettings(iter(["a", "b"])),
        InvalidPolicy(["a", "b"], source="p.yaml"),
        UnsafePlan(["A.", "B."]),
    )

    assert settings.problems == policy.problems == ("a", "b")
    assert settings.sentence.splitlines()[1:] == policy.sentence.splitlines()[1:] == ["  - a", "  - b"]
    assert policy.sentence.startswith("p.yaml is not valid")
    assert (policy.source, plan.reasons) == ("p.yaml", ("A.", "B."))
    assert plan.sentence == "The plan was refused: A. B."
