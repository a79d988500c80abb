"""A trace context is exactly one or none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.traces import correlation_of, traceparent

TRACE = "0af7651916cd43dd8448eb211c80319c"
GOOD = f"00-{TRACE}-b7ad6b7169203331-01"


def test_a_trace_context_is_taken_as_it_is_and_names_its_chain() -> None:
    assert traceparent(GOOD) == GOOD
    assert correlation_of(GOOD) == TRACE


@pytest.mark.parametrize(
    "bad",
    [
        None,
        1,
        "",
        GOOD.upper(),
        f"{GOOD}-x",
        f"{GOOD}\n",
        GOOD.replace("00-", "01-", 1),
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        "00-é" + GOOD[4:],
        '"}; drop',
    ],
)
def test_whatever_is_none_becomes_none(bad: object) -> None:
    assert traceparent(bad) == ""


def test_no_trace_context_has_no_correlation() -> None:
    assert correlation_of("") == ""


@given(st.text(max_size=60))
def test_no_text_that_is_taken_holds_anything_but_digits_and_hyphens(text: str) -> None:
    assert set(traceparent(text)) <= set("0123456789abcdef-")
