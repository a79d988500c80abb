"""What a reader could not see is shown; what a language needs stays."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.legible import legible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user\u202e \u2066// admin\u2069", r"user\u202e \u2066// admin\u2069"),
        ("pay\u200bload", r"pay\u200bload"),
        ("fo\u200do", r"fo\u200do"),
        ("\u200dfoo", r"\u200dfoo"),
        ("soft\u00adhyphen", r"soft\u00adhyphen"),
        ("\ufeffbegins", r"\ufeffbegins"),
        ("arabic\u061cmark", r"arabic\u061cmark"),
        ("a\u2060b\u2063c", r"a\u2060b\u2063c"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("foo\ufe0f", r"foo\ufe0f"),
        ("foo\u3164", r"foo\u3164"),
        ("foo\u2800", r"foo\u2800"),
        ("a\x1b[31m\x00\x07", r"a\u001b[31m\u0000\u0007"),
        ("one\u2028two", r"one\u2028two"),
        ("lone\ud800", r"lone\ud800"),
    ],
)
def test_a_mark_that_nobody_sees_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert legible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two\nlines\tand a tab\r\n",
        "Gr\u00fc\u00dfe, \u65e5\u672c\u8a9e, \u05e9\u05dc\u05d5\u05dd",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: letters that must not join
        "\u0915\u094d\u200d\u0937",  # Devanagari: a half letter
        "\u26a0\ufe0f careful",
    ],
)
def test_what_a_language_or_a_sign_is_written_with_stays(text: str) -> None:
    assert legible(text) == text


@given(st.text(max_size=30))
def test_no_text_keeps_a_mark_of_direction_and_a_text_is_only_told_once(text: str) -> None:
    told = legible(text)

    assert legible(told) == told
    assert not [
        sign for sign in told if unicodedata.category(sign) in {"Cf", "Cc", "Cs"} and sign not in "\n\r\t\u200c\u200d"
    ]
