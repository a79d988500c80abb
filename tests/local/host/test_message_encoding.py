import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.host_json import MessageEncoding
from local.host.queues import UndecodableMessage, decode, encode


@given(st.text())
def test_text_survives_base64(text: str) -> None:
    assert decode(encode(text, MessageEncoding.BASE64), MessageEncoding.BASE64) == text


@given(st.binary())
def test_bytes_survive_base64_as_text_where_they_are_text(raw: bytes) -> None:
    decoded = decode(encode(raw, MessageEncoding.BASE64), MessageEncoding.BASE64)

    assert (decoded.encode() if isinstance(decoded, str) else decoded) == raw


def test_without_an_encoding_text_stays_as_it_is() -> None:
    assert encode('{"a": "ü"}', MessageEncoding.NONE) == '{"a": "ü"}'
    assert decode("bm90IGRlY29kZWQ=", MessageEncoding.NONE) == "bm90IGRlY29kZWQ="


@pytest.mark.parametrize("text", ["{}", "abc", "b2s=\n", "ü"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(UndecodableMessage, match="is not base64"):
        decode(text, MessageEncoding.BASE64)
