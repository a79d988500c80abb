"""
A user of the app: curl, the app's address and a function key; nothing of the product.

Each command is run by a real curl and can be shown as a person would type it. The key travels in a header that curl reads
from a file, so that it stands in no list of processes.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

PREFIX = "/api"
_SECONDS = 90
"""Longest that one command may take; the app itself answers within a minute."""
_STATUS = "%{stderr}%{http_code}"


class AppRefused(RuntimeError):
    """The app said no, or nothing; the message says to what, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What curl got."""

    status: int
    document: Json


class AppUser:
    """
    Somebody with a function key.

    Args:
        url: Of the Functions host.
        key: A function key.
        folder: Where the file for curl is kept.
    """

    def __init__(self, url: str, key: str, folder: Path) -> None:
        self._url = url
        self._header = folder / "curl-key"
        self._header.touch(mode=0o600)
        self._header.write_text(f"x-functions-key: {key}\n")

    async def get(self, path: str) -> Answer:
        """GET *path* below /api."""
        return await self._curl(path)

    async def post(self, path: str, body: Json | None = None) -> Answer:
        """POST *body* to *path* below /api."""
        return await self._curl(
            path, "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body or {})
        )

    async def _curl(self, path: str, *arguments: str) -> Answer:
        command = ["curl", "-sS", "--noproxy", "*", "--max-time", str(_SECONDS), "-w", _STATUS]
        command += ["-H", f"@{self._header}", *arguments, f"{self._url}{PREFIX}/{path}"]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, told = await process.communicate()
        if process.returncode:
            raise AppRefused(f"curl ended with exit status {process.returncode}: {told.decode(errors='replace')}")
        document = json.loads(output) if output else {}
        answer = Answer(status=int(told), document=document)
        if answer.status >= 400:
            raise AppRefused(f"{path} was answered {answer.status}: {json.dumps(document)}")
        return answer


def typed(path: str, body: Json | None = None) -> str:
    """The command as a person would type it, with $APP and $KEY set; without *body* a GET."""
    sent = "" if body is None else f" -d '{json.dumps(body)}' -H 'Content-Type: application/json'"
    return f'curl -sS -H "x-functions-key: $KEY"{sent} "$APP{PREFIX}/{path}"'
