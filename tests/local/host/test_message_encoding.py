import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.azurite import ACCOUNT, ACCOUNT_KEY
from local.host.functions import QueueOutput
from local.host.host_json import MessageEncoding
from local.host.invocations import OutputFailed
from local.host.queues import QueueOutputs, StorageQueues, UndecodableMessage, decode, encode


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


async def test_bytes_that_are_no_text_cannot_be_sent_without_an_encoding_and_the_queue_is_named() -> None:
    storage = f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};QueueEndpoint=http://127.0.0.1:9/{ACCOUNT}"
    queues, sent = StorageQueues(), list[str]()
    outputs = QueueOutputs(queues, MessageEncoding.NONE, sent=sent.append)

    with pytest.raises(OutputFailed, match="A message for the queue done is not UTF-8, and messageEncoding is none"):
        await outputs.send(QueueOutput(parameter="out", queue="done", connection_string=storage), [b"\xff"])

    await queues.close()
    assert sent == []
