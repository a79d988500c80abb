"""
Who may do what: principals with role assignments, deny assignments, and the bearer tokens that name them.

Every call is checked against the caller's assignments, so that a role definition can be shown to be sufficient and
minimal. A token is an unsigned JWT whose `oid` names the principal; the simulated token endpoint makes them.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from local.simulator import arm_ids
from local.simulator.errors import ArmError, Shape, linked_authorization_failed

OWNER = "00000000-0000-4000-8000-00000000000a"
"""Object id of the principal that may do everything; every world has it."""

PLATFORM = "00000000-0000-4000-8000-00000000000f"
"""Object id under which resource providers act on their own."""


@lru_cache(maxsize=4096)
def _pattern(actions: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for a role's actions, in which * stands for any text, slashes included."""
    alternatives = (re.escape(action).replace(r"\*", ".*") for action in actions)
    return re.compile("(?:" + "|".join(alternatives) + r")\Z", re.IGNORECASE)


@lru_cache(maxsize=65536)
def covers(actions: tuple[str, ...], not_actions: tuple[str, ...], action: str) -> bool:
    """Whether a role with these actions and notActions grants *action*."""
    if not actions or not _pattern(actions).match(action):
        return False
    return not (not_actions and _pattern(not_actions).match(action))


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A role at a scope; members as in a role definition. Actions never grant data actions, not even `*`."""

    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Principal:
    """A caller: user, application or managed identity."""

    id: str
    name: str
    assignments: list[Assignment] = field(default_factory=list)
    application_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyAssignment:
    """Denies actions at a scope and below it to everybody but `exempt`."""

    id: str
    name: str
    scope: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    """Object ids that are not denied."""


class Rbac:
    """All principals, role assignments and deny assignments of one world."""

    def __init__(self, tenant_id: str) -> None:
        self.tenant_id = tenant_id
        self.principals: dict[str, Principal] = {}
        self._denials: dict[str, list[DenyAssignment]] = {}
        self._demands: list[str] = []
        everything = [Assignment(scope="/", actions=("*",))]
        self.add(Principal(id=OWNER, name="owner@simulated.example", assignments=everything))
        self.add(Principal(id=PLATFORM, name="platform", assignments=list(everything)))

    def add(self, principal: Principal) -> Principal:
        self.principals[principal.id.lower()] = principal
        return principal

    def principal(
        self,
        object_id: str,
        *,
        name: str = "",
        actions: Iterable[str] = (),
        scope: str = "/",
        not_actions: Iterable[str] = (),
        data_actions: Iterable[str] = (),
    ) -> Principal:
        """The principal of that object id, made when unknown, with one more assignment when there are actions."""
        found = self.principals.get(object_id.lower()) or self.add(Principal(id=object_id, name=name or object_id))
        granted, data = tuple(actions), tuple(data_actions)
        if granted or data:
            found.assignments.append(
                Assignment(scope=scope, actions=granted, not_actions=tuple(not_actions), data_actions=data)
            )
        return found

    # -- deny assignments --------------------------------------------------------------------------------------------

    def deny(self, assignment: DenyAssignment) -> None:
        """Add a deny assignment; one of the same id is replaced."""
        known = self._denials.setdefault(assignment.scope.lower().rstrip("/"), [])
        known[:] = [each for each in known if each.id.lower() != assignment.id.lower()]
        known.append(assignment)

    def lift(self, scope: str) -> None:
        """Remove the deny assignments at exactly that scope."""
        self._denials.pop(scope.lower().rstrip("/"), None)

    def denials(self, scope: str) -> list[DenyAssignment]:
        """The deny assignments in force at a scope, its own first."""
        if not self._denials:
            return []
        return [each for level in arm_ids.ancestors(scope) for each in self._denials.get(level, ())]

    def all_denials(self) -> list[DenyAssignment]:
        return [each for found in self._denials.values() for each in found]

    # -- decisions ---------------------------------------------------------------------------------------------------

    def allows(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether a role assignment grants the action; deny assignments are not looked at."""
        wanted = scope.lower().rstrip("/")
        for each in principal.assignments:
            held = each.scope.lower().rstrip("/")
            inside = not held or wanted == held or wanted.startswith(held + "/")
            if inside and covers(each.actions, each.not_actions, action):
                return True
        return False

    def take_demands(self) -> tuple[str, ...]:
        """The actions that were demanded since the last time, in order."""
        taken = tuple(dict.fromkeys(self._demands))
        self._demands.clear()
        return taken

    def demand_data(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether the data action, which is now demanded, is granted; the services word their own refusals."""
        self._demands.append(action)
        return self.allows_data(principal, action, scope)

    def demand_anywhere(self, principal: Principal, action: str) -> None:
        """Let pass whoever holds the action at any scope, for calls that are made of no resource."""
        held = (each.scope for each in principal.assignments if self.allows(principal, action, each.scope))
        self.demand(principal, action, next(held, "/"))

    def allows_data(self, principal: Principal, action: str, scope: str) -> bool:
        """Whether a role assignment grants the data action."""
        wanted = scope.lower().rstrip("/")
        return any(
            covers(each.data_actions, (), action)
            for each in principal.assignments
            if f"{wanted}/".startswith(f"{each.scope.lower().rstrip('/')}/")
        )

    def demand(self, principal: Principal, action: str, scope: str) -> None:
        """
        Let the action pass or raise the service's refusal.

        Raises:
            ArmError: 403 AuthorizationFailed without a grant, 403 DenyAssignmentAuthorizationFailed under a denial.
        """
        self._demands.append(action)
        if not self.allows(principal, action, scope):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{principal.name}' with object id '{principal.id}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials.",
                shape=Shape.GATEWAY,
            )
        self._demand_undenied(principal, action, scope)

    def _denying(self, principal: Principal, action: str, scope: str) -> Iterator[DenyAssignment]:
        """The deny assignments that keep the principal from the action."""
        for denial in self.denials(scope) if principal.id != PLATFORM else ():
            if principal.id not in denial.exempt and covers(denial.actions, denial.not_actions, action):
                yield denial

    def _demand_undenied(self, principal: Principal, action: str, scope: str) -> None:
        for denial in self._denying(principal, action, scope):
            raise ArmError(
                403,
                "DenyAssignmentAuthorizationFailed",
                f"The client '{principal.name}' with object id '{principal.id}' has permission to perform action "
                f"'{action}' on scope '{scope}'; however, the access is denied because of the deny assignment with "
                f"name '{denial.name}' and Id '{denial.id}' at scope '{denial.scope}'.",
                shape=Shape.GATEWAY,
            )

    def demand_linked(self, principal: Principal, action: str, scope: str, *, missing: str, linked: str) -> None:
        """
        Demand a right on a resource that a request only names.

        Args:
            action: What the caller is doing, and
            scope: where.
            missing: The action that the link needs, and
            linked: the id of the resource it is needed on.
        """
        self._demands.append(missing)
        if not self.allows(principal, missing, linked):
            raise linked_authorization_failed(principal.id, action, scope, _short(missing), linked)
        if any(True for _ in self._denying(principal, missing, linked)):
            raise linked_authorization_failed(principal.id, action, scope, _short(missing), linked, denied=True)

    # -- tokens ------------------------------------------------------------------------------------------------------

    def token(self, object_id: str, *, audience: str, now: datetime, lifetime: float = 86400.0) -> str:
        """An unsigned JWT that names the principal."""
        issued = int(now.timestamp())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant_id}/",
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(lifetime),
            "oid": object_id,
            "sub": object_id,
            "tid": self.tenant_id,
            "appid": object_id,
            "idtyp": "app",
            "ver": "1.0",
        }
        return ".".join([_encode({"typ": "JWT", "alg": "none"}), _encode(claims), "c2ltdWxhdGVk"])

    def caller(self, authorization: str, now: datetime) -> Principal:
        """
        The principal that an Authorization header names.

        Raises:
            ArmError: 401 when the header is absent, unreadable, out of date or names nobody.
        """
        if not authorization:
            raise self._unauthenticated(
                "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        claims = _claims(authorization)
        found = self.principals.get(str(claims.get("oid", "")).lower())
        if found is None:
            raise self._unauthenticated("InvalidAuthenticationToken", "The access token is invalid.")
        if float(claims.get("exp", 0)) < now.timestamp():
            raise self._unauthenticated(
                "ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time."
            )
        return found

    def named(self, authorization: str) -> str:
        """The object id of the principal that the token names, good or not; "" if it names nobody."""
        found = self.principals.get(str(_claims(authorization).get("oid", "")).lower()) if authorization else None
        return found.id if found else ""

    def _unauthenticated(self, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/{self.tenant_id}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge}, shape=Shape.GATEWAY)


def _short(action: str) -> str:
    """The last two segments of an action: how LinkedAuthorizationFailed names it (recorded: 'join/action')."""
    return "/".join(action.split("/")[-2:])


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


@lru_cache(maxsize=1024)
def _claims(authorization: str) -> dict[str, Any]:
    """The token's claims; empty when it is not a JWT."""
    pieces: Sequence[str] = authorization.removeprefix("Bearer ").strip().split(".")
    if len(pieces) != 3:
        return {}
    try:
        value = json.loads(base64.urlsafe_b64decode(pieces[1] + "=" * (-len(pieces[1]) % 4)))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
