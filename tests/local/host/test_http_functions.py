from datetime import datetime

import pytest
from aiohttp import web

from local.host.http_functions import from_worker
from local.host.protos import (
    NullableBool,
    NullableDouble,
    NullableString,
    NullableTimestamp,
    RpcHttp,
    RpcHttpCookie,
    Timestamp,
    TypedData,
)


def response(**changes: object) -> web.Response:
    fields: dict[str, object] = {"status_code": "200", "headers": {}, "cookies": None, "body": TypedData(bytes=b"")}
    return from_worker(TypedData(http=RpcHttp(**(fields | changes))))


def cookie(**changes: object) -> str:
    fields = dict.fromkeys(("domain", "path", "expires", "secure", "http_only", "max_age"))
    made = RpcHttpCookie(**({"name": "c", "value": "v", "same_site": 0} | fields | changes))
    return response(cookies=[made]).headers["Set-Cookie"]


def test_status_headers_and_bytes_are_passed_on() -> None:
    made = response(status_code="418", headers={"X-A": "1"}, body=TypedData(bytes=b"\x00\xff"))

    assert (made.status, made.headers["X-A"], made.body) == (418, "1", b"\x00\xff")


def test_headers_that_the_server_owns_are_not_passed_on() -> None:
    made = response(headers={"Content-Length": "99", "Transfer-Encoding": "chunked", "Connection": "close"})

    assert made.headers.get("Content-Length") in {None, "0"}
    assert {"Transfer-Encoding", "Connection"}.isdisjoint(made.headers)


def test_a_text_alone_is_a_plain_response() -> None:
    made = from_worker(TypedData(string="grüß"))

    assert (made.status, made.text, made.content_type) == (200, "grüß", "text/plain")


@pytest.mark.parametrize("data", [None, TypedData()])
def test_no_response_at_all_is_204(data: TypedData | None) -> None:
    assert from_worker(data).status == 204


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "c=v"),
        ({"domain": NullableString(value="d"), "path": NullableString(value="/")}, "c=v; Domain=d; Path=/"),
        ({"domain": NullableString(value="")}, "c=v"),
        ({"secure": NullableBool(value=True), "http_only": NullableBool(value=True)}, "c=v; Secure; HttpOnly"),
        ({"secure": NullableBool(value=False)}, "c=v"),
        ({"max_age": NullableDouble(value=60.0)}, "c=v; Max-Age=60"),
        ({"same_site": 2}, "c=v; SameSite=Strict"),
        ({"same_site": 3}, "c=v; SameSite=None"),
        (
            {
                "expires": NullableTimestamp(
                    value=Timestamp(seconds=int(datetime.fromisoformat("2026-01-05T00:00Z").timestamp()))
                )
            },
            "c=v; Expires=Mon, 05 Jan 2026 00:00:00 GMT",
        ),
    ],
)
def test_a_cookie_becomes_a_header(changes: dict[str, object], expected: str) -> None:
    assert cookie(**changes) == expected


def test_two_cookies_are_two_headers() -> None:
    fields = dict.fromkeys(("domain", "path", "expires", "secure", "http_only", "max_age"))
    cookies = [RpcHttpCookie(name=name, value="v", same_site=0, **fields) for name in ("a", "b")]

    assert response(cookies=cookies).headers.getall("Set-Cookie") == ["a=v", "b=v"]
