"""
Long operations: what their first answer means, and what their operation URL says later.

Operation URLs are signed and followed verbatim. They are read only for what has no state of its own and to learn why
something failed; everything else tells its progress itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.cloud.arm_client import Answer, ArmClient
from shared.cloud.documents import text
from shared.core.azure_errors import classify
from shared.core.errors import AccessDenied, ChangedUnderneath, MissingPermission, Refused
from shared.core.report import Done, Started
from shared.engine.ports import Progress, ProgressState

RUNNING = Progress(state=ProgressState.RUNNING)
SUCCEEDED = Progress(state=ProgressState.SUCCEEDED)

_OK, _CREATED, _ACCEPTED, _NO_CONTENT = 200, 201, 202, 204
_GOOD = "succeeded"
_BAD = frozenset({"failed", "canceled", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """The app may not read an operation URL: *sentence* says which right it lacks."""

    sentence: str


def is_good(state: str) -> bool:
    """Tell whether a `provisioningState` or operation status is the good end."""
    return state.lower() == _GOOD


def is_bad(state: str) -> bool:
    """Tell whether it is a bad end."""
    return state.lower() in _BAD


def accepted(answer: Answer) -> Started | Done:
    """
    Read the first answer of a write.

    An operation URL comes along even where the body says that nothing is left to do (recorded of private endpoints
    that were put unchanged), so the body decides.
    """
    state = text(answer.body, "properties", "provisioningState")
    url = answer.headers.get("Azure-AsyncOperation") or answer.headers.get("Location") or ""
    if answer.status == _NO_CONTENT or is_good(state) or (answer.status == _OK and not state and not url):
        return Done()
    return Started(url=url)


def failed_operation(answer: Answer, *, operation: str, resource: str) -> Progress:
    """The failure that an operation's answer tells."""
    error = classify(answer.status, answer.body, answer.headers, operation=operation, resource_id=resource)
    return Progress(state=ProgressState.FAILED, error=error)


async def read_operation(arm: ArmClient, url: str, *, operation: str, resource: str) -> Progress | Unread | None:
    """
    Ask an operation URL.

    Returns:
        Its state; None if it tells nothing: there is no URL, or Azure has forgotten it.

    Raises:
        RegistryIsolationError: Azure did not answer, or throttles.
    """
    if not url:
        return None
    if not arm.hosts.trusts(url):
        refused = Refused(
            f"The operation URL of {operation} points to {arm.hosts.shown(url)}, which is not a host of the configured "
            "cloud; the app does not send its token there.",
            resource_id=resource,
            operation=operation,
        )
        return Progress(state=ProgressState.FAILED, error=refused)
    try:
        answer = await arm.send("GET", url, operation=operation, resource=resource)
    except (AccessDenied, MissingPermission) as error:
        return Unread(sentence=error.sentence)
    except (ChangedUnderneath, Refused):
        return None
    return _state_of(answer, operation, resource)


def _state_of(answer: Answer, operation: str, resource: str) -> Progress:
    status = text(answer.body, "status") or text(answer.body, "properties", "provisioningState")
    if is_bad(status):
        return failed_operation(answer, operation=operation, resource=resource)
    if is_good(status) or answer.status == _NO_CONTENT:
        return SUCCEEDED
    if answer.status in {_CREATED, _ACCEPTED}:
        return RUNNING
    # A finished operation may answer with the resource itself, or with nothing (reported of registries).
    finished = not status and (not isinstance(answer.body, Mapping) or "error" not in answer.body)
    return SUCCEEDED if finished else RUNNING
