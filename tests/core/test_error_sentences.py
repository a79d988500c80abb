"""What an error carries when nobody says more, and the words of those that list problems."""

import pytest

from shared.core.errors import InvalidPolicy, InvalidSettings, MalformedRequest, RegistryIsolationError, Throttled


@pytest.mark.parametrize("leaf", [RegistryIsolationError, MalformedRequest, Throttled])
def test_an_error_about_nothing_in_particular_says_so_with_empty_texts(leaf: type[RegistryIsolationError]) -> None:
    error = leaf("Something happened.")

    assert (error.code, error.resource_id, error.operation) == ("", "", "")


def test_a_malformed_request_keeps_its_problems_and_whether_it_was_readable() -> None:
    bare = MalformedRequest("It means nothing.")
    full = MalformedRequest("It means nothing.", problems=iter([("#/digest", "Not hex.")]), readable=True)

    assert (bare.problems, bare.readable) == ((), False)
    assert (full.problems, full.readable) == ((("#/digest", "Not hex."),), True)


def test_lists_of_problems_begin_with_what_they_are_about() -> None:
    assert InvalidSettings(["a", "b"]).sentence == "The app settings are not usable:\n  - a\n  - b"
    assert InvalidPolicy(["a"]).sentence == "policy is not valid:\n  - a"
    assert InvalidPolicy(["a"]).source == "policy"
