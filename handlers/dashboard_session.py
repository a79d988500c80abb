"""
Signed words: the code that a function key is exchanged for, the cookie of a session, the token of a form.

Each is `key.purpose-bound JSON.signature`; a word made for one purpose is worth nothing for another. Nothing is kept of
them: they end by themselves, or when the installation's keys are deleted.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from handlers.dashboard_identity import Right, Visitor
from shared.engine.ports import Clock
from shared.engine.session_ports import Keyring

CODE_LIFE = timedelta(minutes=1)
SESSION_LIFE = timedelta(hours=4)
FORM_LIFE = timedelta(minutes=30)
_LONGEST = 4096
_SEPARATOR = "."
_PARTS = 3


class Purpose(StrEnum):
    """What a signed word is for."""

    CODE = "code"
    SESSION = "session"
    FORM = "form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a form would do: an action, on which registry ("" for none), with which plan ("" for none)."""

    action: str
    registry: str = ""
    digest: str = ""


class Sessions:
    """Makes and reads signed words; keeps nothing."""

    def __init__(self, keyring: Keyring, clock: Clock) -> None:
        self._keyring = keyring
        self._clock = clock

    async def code(self, caller: str, rights: frozenset[Right]) -> str:
        """What the holder of a key takes to the sign-in form."""
        return await self._sign(Purpose.CODE, {"caller": caller, "rights": sorted(rights)}, CODE_LIFE)

    async def session(self, code: str) -> str | None:
        """The cookie for a *code* that is still good; None for any other text."""
        members = await self._read(Purpose.CODE, code)
        if members is None:
            return None
        known = {"caller": members["caller"], "rights": members["rights"], "session": token_urlsafe(18)}
        return await self._sign(Purpose.SESSION, known, SESSION_LIFE)

    async def visitor(self, cookie: str) -> Visitor | None:
        """Who has *cookie*; None for one that is not good any more, or never was."""
        members = await self._read(Purpose.SESSION, cookie)
        if members is None:
            return None
        rights = frozenset(Right(right) for right in members["rights"])
        return Visitor(caller=members["caller"], session=members["session"], rights=rights, by_key=True)

    async def form(self, visitor: Visitor, act: Act) -> str:
        """The token of a form that lets *visitor* do *act* and nothing else."""
        return await self._sign(Purpose.FORM, _bound(visitor, act), FORM_LIFE)

    async def agrees(self, visitor: Visitor, act: Act, token: str) -> bool:
        """The *token* was made for this visitor and this act, not long ago."""
        members = await self._read(Purpose.FORM, token)
        return members is not None and all(members.get(name) == value for name, value in _bound(visitor, act).items())

    async def _sign(self, purpose: Purpose, members: Mapping[str, Any], life: timedelta) -> str:
        key = await self._keyring.current()
        until = int((self._clock.now() + life).timestamp())
        text = json.dumps({**members, "until": until}, separators=(",", ":")).encode()
        body = urlsafe_b64encode(text).rstrip(b"=").decode()
        return _SEPARATOR.join((key.id, body, _signature(key.secret, purpose, body)))

    async def _read(self, purpose: Purpose, word: str) -> dict[str, Any] | None:
        parts = word.split(_SEPARATOR)
        if len(word) > _LONGEST or len(parts) != _PARTS or not word.isascii():
            return None
        name, body, signature = parts
        key = await self._keyring.find(name)
        if key is None or not hmac.compare_digest(_signature(key.secret, purpose, body), signature):
            return None
        members: dict[str, Any] = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return members if datetime.fromtimestamp(members["until"], tz=UTC) > self._clock.now() else None


def _bound(visitor: Visitor, act: Act) -> dict[str, str]:
    return {"session": visitor.session, "action": act.action, "registry": act.registry.lower(), "digest": act.digest}


def _signature(secret: bytes, purpose: Purpose, body: str) -> str:
    return hmac.new(secret, f"{purpose.value}|{body}".encode(), sha256).hexdigest()
