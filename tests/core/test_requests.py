import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.arm import ResourceId
from shared.core.errors import MalformedMessage, MalformedResourceId
from shared.core.requests import MESSAGE_BYTES, WorkMessage, registry_id

SUB = "11111111-2222-4333-8444-555555555555"
ALPHA = f"/subscriptions/{SUB}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/registries/alpha_1"


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def members(**changed: Any) -> dict[str, Any]:
    return {"version": 1, "registry": ALPHA, "generation": 3, "attempt": 2} | changed


def test_a_message_arrives_as_it_was_sent() -> None:
    message = WorkMessage(registry=registry_id(ALPHA), generation=7, attempt=1)

    assert WorkMessage.decode(message.encode()) == message
    assert WorkMessage.decode(message.encode().encode()) == message


def test_a_message_carries_the_trace_of_its_request_which_is_no_part_of_what_it_asks_for() -> None:
    plain = WorkMessage(registry=registry_id(ALPHA), generation=7, attempt=1)
    traced = WorkMessage(registry=registry_id(ALPHA), generation=7, attempt=1, trace=TRACE)

    assert WorkMessage.decode(traced.encode()).trace == TRACE
    assert traced == plain
    assert "trace" not in plain.encode()


@pytest.mark.parametrize("trace", [None, 1, "", "x" * 55, TRACE + "\n", TRACE.upper(), {"a": 1}])
def test_a_trace_that_is_none_costs_no_pass(trace: object) -> None:
    message = WorkMessage.decode(json.dumps(members(trace=trace)))

    assert (message.generation, message.trace) == (3, "")


@given(
    name=st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,31}", fullmatch=True).filter(str.isascii),
    group=st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=90),
    generation=st.integers(1, 2**53 - 1),
    attempt=st.integers(0, 10_000),
)
def test_every_possible_message_fits_and_survives_the_queue(
    name: str, group: str, generation: int, attempt: int
) -> None:
    text = f"/subscriptions/{SUB}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/registries/{name}"
    message = WorkMessage(registry=registry_id(text), generation=generation, attempt=attempt, trace=TRACE)

    encoded = message.encode()

    assert len(encoded.encode()) <= MESSAGE_BYTES
    assert WorkMessage.decode(encoded) == message
    assert WorkMessage.decode(encoded).registry.text == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("\ufeffnull x", "not JSON"),
        ("[" * 3000, "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        ("[]", "not a JSON object"),
        ("3", "not a JSON object"),
        ("x" * (MESSAGE_BYTES + 1), str(MESSAGE_BYTES)),
        ("ü" * MESSAGE_BYTES, str(2 * MESSAGE_BYTES)),
        ("{}", "version None"),
        (json.dumps(members(version=2)), "version 2"),
        (json.dumps(members(version="1")), "version '1'"),
        (json.dumps(members(extra=1)), "'extra'"),
        (json.dumps({"version": 1, "registry": ALPHA, "generation": 1}), "'attempt'"),
        (json.dumps(members(registry=5)), "names no registry"),
        (json.dumps(members(registry=ALPHA + "/models/model")), "names no registry"),
        (json.dumps(members(registry=ALPHA.replace("/registries/", "/workspaces/"))), "names no registry"),
        (json.dumps(members(registry=ALPHA + "?x=1")), "names no registry"),
        (json.dumps(members(generation=0)), "generation"),
        (json.dumps(members(generation=True)), "generation"),
        (json.dumps(members(generation=1.0)), "generation"),
        (json.dumps(members(generation=2**53)), "generation"),
        (json.dumps(members(attempt=-1)), "attempt"),
        (json.dumps(members(attempt="1")), "attempt"),
    ],
)
def test_a_message_this_app_cannot_have_written_is_refused_with_the_reason(text: str | bytes, says: str) -> None:
    with pytest.raises(MalformedMessage) as refused:
        WorkMessage.decode(text)

    assert says in refused.value.sentence
    assert len(refused.value.sentence) < 600


@given(st.text() | st.binary())
def test_whatever_lies_in_the_queue_is_read_or_refused_by_name(text: str | bytes) -> None:
    found: object
    try:
        found = WorkMessage.decode(text)
    except MalformedMessage as refused:
        found = refused

    assert isinstance(found, (WorkMessage, MalformedMessage))


@pytest.mark.parametrize("name", ["ab", "0a", "foo_bar", "A-b_c", "a" * 32])
def test_a_name_azure_allows_is_a_registry(name: str) -> None:
    assert registry_id(ALPHA.replace("alpha_1", name)).name == name


@pytest.mark.parametrize("name", ["a", "_ab", "-ab", "a" * 33, "a.b", "äb", "a b", "a\u0661"])
def test_a_name_azure_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(MalformedResourceId):
        registry_id(ALPHA.replace("alpha_1", name))


def test_another_type_or_depth_is_refused_and_named() -> None:
    with pytest.raises(MalformedResourceId, match=r"Microsoft\.ContainerRegistry/registries"):
        registry_id(ALPHA.replace("Microsoft.MachineLearningServices", "Microsoft.ContainerRegistry"))
    with pytest.raises(MalformedResourceId, match="registries/models"):
        registry_id(f"{ALPHA}/models/m")


def test_casing_of_an_id_does_not_matter() -> None:
    assert registry_id(ALPHA.lower()) == ResourceId.parse(ALPHA)
