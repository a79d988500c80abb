"""
HTTP requests and responses in the worker's form.

As in Azure: repeated headers and query parameters are joined by commas, route parameters are texts, a body always
travels as bytes, and a failed function answers 500 with no body.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import hdrs, web
from multidict import CIMultiDict, MultiMapping

from local.host.protos import RpcHttp, TypedData

MAX_BODY_BYTES = 104_857_600  # HTTP trigger reference, "Limits"; FUNCTIONS_REQUEST_BODY_SIZE_LIMIT changes it
_OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})
_SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}


async def to_worker(request: web.Request, route_parameters: Mapping[str, str]) -> TypedData:
    """
    What the function gets to see of *request*.

    Raises:
        web.HTTPRequestEntityTooLarge: The body is over the limit.
    """
    body = await request.read()
    return TypedData(
        http=RpcHttp(
            method=request.method,
            url=str(request.url),
            headers=_joined(request.headers),
            query=_joined(request.query),
            params=dict(route_parameters),
            body=TypedData(bytes=body) if body else TypedData(),
        )
    )


def from_worker(data: TypedData | None) -> web.Response:
    """The response that the function's HTTP output asks for; 204 when it set none."""
    if data is None or data.value is None:
        return web.Response(status=204)
    if data.WhichOneof("data") != "http":
        body = data.value
        return web.Response(body=body) if isinstance(body, bytes) else web.Response(text=str(body))
    http = data.value
    headers = CIMultiDict[str]()
    for name, value in http.headers.items():
        if name.lower() not in _OWN_HEADERS:
            headers.add(name, value)
    for cookie in http.cookies or ():
        headers.add(hdrs.SET_COOKIE, _set_cookie(cookie))
    return web.Response(status=int(http.status_code), headers=headers, body=http.body.value or b"")


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in values.items():
        key = name.lower() if isinstance(values, CIMultiDict) else name
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def _set_cookie(cookie: Any) -> str:
    """One Set-Cookie header of the worker's parsed cookie."""
    parts = [f"{cookie.name}={cookie.value}"]
    if cookie.expires is not None:
        moment = datetime.fromtimestamp(cookie.expires.value.seconds, tz=UTC)
        parts.append(f"Expires={format_datetime(moment, usegmt=True)}")
    if cookie.max_age is not None:
        parts.append(f"Max-Age={cookie.max_age.value:g}")
    for attribute, value in (("Domain", cookie.domain), ("Path", cookie.path)):
        if value is not None and value.value:
            parts.append(f"{attribute}={value.value}")
    if cookie.same_site in _SAME_SITE:
        parts.append(f"SameSite={_SAME_SITE[cookie.same_site]}")
    parts += [
        attribute for attribute, on in (("Secure", cookie.secure), ("HttpOnly", cookie.http_only)) if on and on.value
    ]
    return "; ".join(parts)
