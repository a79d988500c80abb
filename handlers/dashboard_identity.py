"""
Who looks at the dashboard, and what that person may do there: read, or act as well.

Where App Service authentication is on, the platform names the principal and its roles. Elsewhere a holder of a function
key signs in for a few hours. Headers of a principal count only where the platform itself says that it checks them: without
it anybody can send them.
"""

import binascii
import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from handlers.http_caller import caller_of
from shared.core.errors import NotAllowed
from shared.dashboard_settings import EVERY_KEY

_PRINCIPAL, _PRINCIPAL_ID = "x-ms-client-principal", "x-ms-client-principal-id"
_LONGEST_PRINCIPAL = 64 * 1024
_ROLE_CLAIMS = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})


class Right(StrEnum):
    """What somebody may do on the dashboard."""

    READ = "read"
    ACT = "act"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """
    Somebody who is known.

    Attributes:
        caller: Name for the history, as the HTTP API would write it.
        session: What tokens of forms are bound to: the session, or the principal.
        by_key: Signed in with a function key, and so can sign out.
    """

    caller: str
    session: str
    rights: frozenset[Right]
    by_key: bool = False

    @property
    def acts(self) -> bool:
        """May act."""
        return Right.ACT in self.rights

    def require(self, right: Right) -> None:
        """Refuse with NotAllowed unless the visitor has *right*."""
        if right not in self.rights:
            raise NotAllowed(
                f"You may not {right.value} here: {self.caller} lacks that right. docs/dashboard.md says how to give it."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The app roles that give a right."""

    reading: str
    acting: str

    def rights(self, held: frozenset[str]) -> frozenset[Right]:
        """What somebody with the roles *held* may do; who may act may read."""
        if self.acting in held:
            return frozenset(Right)
        return frozenset({Right.READ}) if self.reading in held else frozenset()


def principal_of(headers: Mapping[str, str], roles: Roles) -> Visitor | None:
    """The principal that the platform names in *headers* (by lower-case name); None if it names none."""
    identifier = headers.get(_PRINCIPAL_ID, "").strip()
    if not identifier:
        return None
    held = _roles_in(headers.get(_PRINCIPAL, ""))
    caller = caller_of(headers, {}, easy_auth=True, key_names={})
    return Visitor(caller=caller, session=f"principal:{identifier}", rights=roles.rights(held))


def rights_of_key(caller: str, acting_keys: tuple[str, ...], *, only_read: bool) -> frozenset[Right]:
    """
    What the holder of a key may do.

    Args:
        caller: `name (key:…)` or `key:…`, as `caller_of` says.
        acting_keys: Names of keys that may act, or `*`.
        only_read: The holder asked for no more than that.
    """
    name = caller.removesuffix(")").partition(" (key:")[0]
    acts = not only_read and (EVERY_KEY in acting_keys or name in acting_keys)
    return frozenset(Right) if acts else frozenset({Right.READ})


def _roles_in(header: str) -> frozenset[str]:
    """The roles in `X-MS-CLIENT-PRINCIPAL`, base64 of JSON; none where that cannot be read, which gives no right."""
    if len(header) > _LONGEST_PRINCIPAL:
        return frozenset()
    try:
        document: Any = json.loads(b64decode(header, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return frozenset()
    claims = document.get("claims") if isinstance(document, dict) else None
    if not isinstance(claims, list):
        return frozenset()
    role_type = document.get("role_typ")
    kinds = _ROLE_CLAIMS | ({role_type} if isinstance(role_type, str) else frozenset())
    pairs = [(claim.get("typ"), claim.get("val")) for claim in claims if isinstance(claim, dict)]
    return frozenset(
        value for kind, value in pairs if isinstance(kind, str) and kind in kinds and isinstance(value, str)
    )
