import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import MalformedMessage
from shared.core.outcome_messages import OutcomeMessage
from tests.core.worlds import registry_id

ALPHA = registry_id()
GOOD = {"version": 1, "registry": ALPHA.text, "tries": 0, "lasting": True}


@given(st.integers(min_value=0, max_value=1_000_000), st.booleans())
def test_a_message_survives_the_queue(tries: int, lasting: bool) -> None:  # noqa: FBT001
    message = OutcomeMessage(registry=ALPHA, tries=tries, lasting=lasting)

    assert OutcomeMessage.decode(message.encode().encode()) == message
    assert message.again().tries <= 1_000_000
    assert OutcomeMessage.decode(message.again().encode()) == message.again()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"version": 2}, "members"),
        ({"more": 1}, "members"),
        ({"tries": -1}, "tries"),
        ({"tries": True}, "tries"),
        ({"tries": "1"}, "tries"),
        ({"lasting": 1}, "lasting"),
        ({"registry": "/subscriptions/x"}, "names no registry"),
        ({"registry": "x" * 5000}, "bytes"),
    ],
)
def test_what_this_app_cannot_have_written_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(MalformedMessage, match=told):
        OutcomeMessage.decode(json.dumps(GOOD | changed))


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)))
def test_whatever_arrives_is_a_message_or_malformed(body: str | bytes) -> None:
    with pytest.raises(MalformedMessage):
        OutcomeMessage.decode(body)


def test_json_of_another_kind_is_refused() -> None:
    for body in ("[]", "1", "null", "[" * 4_000):
        with pytest.raises(MalformedMessage):
            OutcomeMessage.decode(body)
