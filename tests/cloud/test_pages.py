"""A list whose later page fails is no shorter list, and no missing one: whoever reads it is told that it was not read."""

from collections.abc import Awaitable, Callable

import pytest
from azure.core.exceptions import ServiceResponseError

from shared.cloud.arm_client import ArmClient
from shared.core.errors import RegistryIsolationError
from tests.cloud.answering import AnsweringTransport, Reply, Sent, arm_client
from tests.cloud.test_arm_client import list_endpoints, list_resources

LINK = "https://management.azure.com/page2?api-version=2021-04-01&%24skiptoken=a%2Fb"
NOT_FOUND = {"error": {"code": "ResourceNotFound", "message": "The resource was not found."}}
EXPIRED = {"error": {"code": "InvalidSkipToken", "message": "The skip token has expired."}}
WHOLE = b'{"value": [{"id": "/subscriptions/x"}]}'

BAD = {
    "not found": Reply(404, NOT_FOUND),
    "a token that has expired": Reply(400, EXPIRED),
    "an error": Reply(500, {}),
    "a busy gateway": Reply(504, b"<html>Gateway Time-out</html>"),
    "throttling": Reply(429, {}),
    "a redirect": Reply(307, None, {"Location": "https://management.azure.com/elsewhere"}),
    "nothing": Reply(200, None),
    "a page for people": Reply(200, b"<html>Sign in</html>"),
    "half of it": Reply(200, WHOLE[: len(WHOLE) // 2]),
    "something else": Reply(200, [1, 2]),
}


@pytest.mark.parametrize("reply", BAD.values(), ids=list(BAD))
@pytest.mark.parametrize("call", [list_endpoints, list_resources])
async def test_a_list_whose_second_page_fails_was_not_read(
    call: Callable[[ArmClient], Awaitable[object]], reply: Reply
) -> None:
    transport = AnsweringTransport(
        lambda sent: reply if sent.url == LINK else Reply(200, {"value": [{"id": "/a"}], "nextLink": LINK})
    )

    with pytest.raises(RegistryIsolationError):
        await call(arm_client(transport))

    assert [sent.url for sent in transport.sent][1:] == [LINK]


@pytest.mark.parametrize("call", [list_endpoints, list_resources])
async def test_a_list_whose_second_page_breaks_off_was_not_read(
    call: Callable[[ArmClient], Awaitable[object]],
) -> None:
    def answer(sent: Sent) -> Reply:
        if sent.url == LINK:
            raise ServiceResponseError("the connection went away")
        return Reply(200, {"value": [{"id": "/a"}], "nextLink": LINK})

    with pytest.raises(RegistryIsolationError):
        await call(arm_client(AnsweringTransport(answer)))
