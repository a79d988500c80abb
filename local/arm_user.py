"""
A user of the simulated Azure: plain ARM requests over HTTPS, nothing of the product and nothing of an SDK.

Whoever creates the registry and whoever judges the outcome asks Azure through this, so that neither depends on the
code that is on trial.
"""

import asyncio
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, TCPConnector

from local.stage_scene import Scene

type Json = dict[str, Any]

_DEADLINE = ClientTimeout(total=60)
_POLL_SECONDS = 5.0
"""Between two looks at an operation that names no Retry-After; scaled like everything else."""
_LONGEST_POLL_SECONDS = 15.0
_IDENTITY_API = "2019-08-01"
_GRAPH_API = "2022-10-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class AzureAddress:
    """How a simulated Azure is reached, and what is where in it."""

    endpoint: str
    ca: Path
    identity_endpoint: str
    identity_header: str
    scene: Scene


class ArmRefused(RuntimeError):
    """Azure said no; the message says to what, and why."""


class ArmUser:
    """
    Somebody who may do everything in the simulated Azure; an async context manager.

    Args:
        scale: Factor on the pauses between polls, as the simulated Azure's durations are scaled.
    """

    def __init__(self, azure: AzureAddress, *, scale: float = 1.0) -> None:
        self._azure = azure
        self._scale = scale

    async def __aenter__(self) -> Self:
        trust = ssl.create_default_context(cafile=str(self._azure.ca))
        self._session = ClientSession(connector=TCPConnector(ssl=trust), timeout=_DEADLINE)
        self._headers = {"Authorization": f"Bearer {await self._token()}"}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str, api_version: str) -> Json | None:
        """GET a resource; None when there is none."""
        async with self._session.get(self._url(path, api_version), headers=self._headers) as answer:
            if answer.status == 404:
                return None
            return await _document(answer)

    async def list(self, path: str, api_version: str) -> list[Json]:
        """GET a collection, all pages of it."""
        found: list[Json] = []
        url: str | None = self._url(path, api_version)
        while url:
            async with self._session.get(url, headers=self._headers) as answer:
                body = await _document(answer)
            found += body["value"]
            url = body.get("nextLink")
        return found

    async def put(self, path: str, body: Json, api_version: str) -> None:
        """
        PUT a resource and wait until the operation has ended.

        Raises:
            ArmRefused: It was refused, or failed later.
        """
        async with self._session.put(self._url(path, api_version), json=body, headers=self._headers) as answer:
            content = await _document(answer)
            operation = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")
            pause = self._pause(answer)
        if operation and (answer.status in {201, 202} or _running(content)):
            await self._follow(operation, pause)

    async def patch(self, path: str, body: Json, api_version: str) -> None:
        """PATCH a resource whose answer is final."""
        async with self._session.patch(self._url(path, api_version), json=body, headers=self._headers) as answer:
            await _document(answer)

    async def delete(self, path: str, api_version: str) -> None:
        """DELETE a resource and wait until it is gone."""
        async with self._session.delete(self._url(path, api_version), headers=self._headers) as answer:
            await _document(answer)
            operation = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location")
            pause = self._pause(answer)
        if operation and answer.status == HTTPStatus.ACCEPTED:
            await self._follow(operation, pause)

    async def graph(self, query: str) -> Sequence[Json]:
        """Rows of Azure Resource Graph, which is a minute behind the rest of Azure."""
        url = self._url("/providers/Microsoft.ResourceGraph/resources", _GRAPH_API)
        async with self._session.post(url, json={"query": query}, headers=self._headers) as answer:
            found: Sequence[Json] = (await _document(answer))["data"]
            return found

    async def look(self, path: str) -> Any:
        """GET something of the simulated Azure's control plane, which is no part of Azure."""
        async with self._session.get(f"{self._azure.endpoint}/simulator/{path}") as answer:
            return await answer.json()

    async def disturb(self, fault: Json | None) -> None:
        """Script a fault of the simulated Azure; None forgets all of them."""
        url = f"{self._azure.endpoint}/simulator/faults"
        asked = self._session.delete(url) if fault is None else self._session.post(url, json=fault)
        async with asked as answer:
            await _document(answer)

    async def _follow(self, url: str, pause: float) -> None:
        while True:
            await asyncio.sleep(pause)
            async with self._session.get(url, headers=self._headers) as answer:
                body = await _document(answer)
                pause = self._pause(answer)
                if answer.status == 202 or _running(body):
                    continue
            if body.get("status", "Succeeded") != "Succeeded":
                raise ArmRefused(f"The operation {url.partition('?')[0]} ended as {json.dumps(body)}.")
            return

    async def _token(self) -> str:
        query = {"api-version": _IDENTITY_API, "resource": self._azure.endpoint}
        headers = {"X-IDENTITY-HEADER": self._azure.identity_header}
        async with self._session.get(self._azure.identity_endpoint, params=query, headers=headers) as answer:
            return str((await _document(answer))["access_token"])

    def _url(self, path: str, api_version: str) -> str:
        return f"{self._azure.endpoint}{path}?api-version={api_version}"

    def _pause(self, answer: ClientResponse) -> float:
        asked = answer.headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdigit() else _POLL_SECONDS
        return min(seconds, _LONGEST_POLL_SECONDS) * self._scale


async def _document(answer: ClientResponse) -> Json:
    text = await answer.text()
    if answer.status >= 400:
        raise ArmRefused(f"{answer.method} {answer.url.path} was answered {answer.status}: {text}")
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {"value": found}


def _running(body: Json) -> bool:
    """Whether an answer says that the operation has not ended."""
    state = body.get("status") or (body.get("properties") or {}).get("provisioningState") or "Succeeded"
    return state not in {"Succeeded", "Failed", "Canceled"}
