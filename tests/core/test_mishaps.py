"""Errors that are kept are named, bounded and without secrets."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import AccessDenied, Fate, Locked, MalformedMessage, RegistryIsolationError, Throttled
from shared.core.mishaps import MOST_CHARACTERS, MishapFate, describe, redacted

KEY = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zg=="


@pytest.mark.parametrize(
    "text",
    [
        f"AccountName=a;AccountKey={KEY};EndpointSuffix=core.windows.net",
        f"GET https://a.example/op?api-version=1&sig={KEY} failed",
        f"Authorization: Bearer {KEY}",
        "token eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.c2lnbmF0dXJl was refused",
        f"the key {KEY} is wrong",
        f'{{"client_secret": "{KEY}"}}',
        f"x-functions-key: {KEY}",
        f"SharedAccessSignature={KEY}",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str) -> None:
    shown = redacted(text)

    assert "***" in shown
    assert KEY not in shown
    assert "c2lnbmF0dXJl" not in shown
    assert len(shown) > len("***")


@pytest.mark.parametrize(
    "text",
    [
        "list index out of range",
        "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/azureml-rg-a_0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        "Registry alpha is not ready, ask again in 5 minutes.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.text(max_size=3000), st.text(alphabet=string.ascii_letters + string.digits + "+/", min_size=40, max_size=100))
def test_a_sentence_is_one_bounded_line_without_the_key(text: str, key: str) -> None:
    text = text.replace(key, "")
    shown = redacted(f"{text[:100]} AccountKey={key};{text}")

    assert len(shown) <= MOST_CHARACTERS
    assert key not in shown
    assert "\n" not in shown


@pytest.mark.parametrize(
    ("error", "fate", "passes"),
    [
        (Throttled("Slow down."), MishapFate.RETRY_NOW, True),
        (AccessDenied("403"), MishapFate.RETRY_LATER, True),
        (Locked("A lock."), MishapFate.BLOCKED, False),
        (MalformedMessage("?"), MishapFate.PERMANENT, False),
    ],
)
def test_an_error_of_the_tree_keeps_its_name_its_sentence_and_its_fate(
    error: RegistryIsolationError, fate: MishapFate, *, passes: bool
) -> None:
    assert describe(error) == (type(error).__name__, error.sentence, fate)
    assert fate.passes is passes


def test_a_bug_is_called_one() -> None:
    name, sentence, fate = describe(KeyError("alpha"))

    assert (name, fate, fate.passes) == ("KeyError", MishapFate.BUG, False)
    assert sentence == "An error that the app does not expect: KeyError: 'alpha'"
    assert describe(KeyError())[1] == "An error that the app does not expect: KeyError"


def test_every_fate_of_the_tree_is_a_fate_of_a_mishap() -> None:
    assert {fate.value for fate in Fate} <= {fate.value for fate in MishapFate}
