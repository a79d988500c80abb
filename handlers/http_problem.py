"""
Errors as problem documents (RFC 9457): the one place that gives each member of the error tree its HTTP status.

A bug becomes a 500 that tells nothing of the inside; the log has the rest.
"""

import math
import re
from datetime import timedelta

from handlers.http_schemas import Flaw, Problem
from shared.core.errors import (
    Blocked,
    ChangedUnderneath,
    CrossSite,
    DeadlineExceeded,
    Fate,
    InvalidInput,
    InvalidPolicy,
    InvalidSettings,
    MalformedRequest,
    NotAllowed,
    OperationFailed,
    OutOfScope,
    PolicyProblem,
    RegistryIsolationError,
    RequestTooLarge,
    Temporary,
    UnknownPage,
    UnknownRegistry,
    UnknownSweep,
    WorkUnderWay,
    WrongMediaType,
)

STATUSES: dict[type[RegistryIsolationError], int] = {
    RequestTooLarge: 413,
    WrongMediaType: 415,
    OutOfScope: 403,
    UnknownRegistry: 404,
    UnknownSweep: 404,
    UnknownPage: 404,
    CrossSite: 403,
    NotAllowed: 403,
    InvalidSettings: 503,
    InvalidInput: 400,
    InvalidPolicy: 503,
    PolicyProblem: 409,
    WorkUnderWay: 409,
    Temporary: 503,
    ChangedUnderneath: 409,
    OperationFailed: 502,
    DeadlineExceeded: 504,
    Blocked: 409,
}
"""Status of a class and of everything below it that is not listed itself."""
UNREADABLE, UNFITTING = 400, 422
BUG = 500
_TRY_AGAIN = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(hours=1)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def status_of(error: RegistryIsolationError) -> int:
    """The HTTP status of *error*."""
    if isinstance(error, MalformedRequest):
        return UNFITTING if error.readable else UNREADABLE
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem_of(error: RegistryIsolationError, instance: str) -> Problem:
    """The problem document of *error*; *instance* is the path that was asked for."""
    return Problem(
        type=f"urn:registry-isolation:error:{error.name}",
        title=_WORDS.sub(" ", error.name).capitalize(),
        status=status_of(error),
        detail=error.sentence,
        instance=instance,
        error=error.name,
        fate=error.fate.value,
        code=error.code,
        errors=[_flaw(place, sentence) for place, sentence in getattr(error, "problems", ()) if sentence]
        if isinstance(error, MalformedRequest)
        else [],
    )


def bug(instance: str) -> Problem:
    """The problem document of something that nobody foresaw."""
    return Problem(
        type="urn:registry-isolation:error:Bug",
        title="Internal error",
        status=BUG,
        detail="The app failed in a way that nobody foresaw. Its log has the exception under this path.",
        instance=instance,
        error="Bug",
        fate=Fate.PERMANENT.value,
    )


def retry_after(error: RegistryIsolationError) -> str | None:
    """The `Retry-After` header of *error* in whole seconds; None where trying again is no use."""
    if not isinstance(error, Temporary | ChangedUnderneath | DeadlineExceeded):
        return None
    asked = error.retry_after if isinstance(error, Temporary) else None
    return seconds(min(asked or _TRY_AGAIN, _LONGEST_RETRY))


def seconds(duration: timedelta) -> str:
    """*duration* as a header says it: whole seconds, at least one."""
    return str(max(1, math.ceil(duration.total_seconds())))


def _flaw(place: str, sentence: str) -> Flaw:
    if place.startswith("#"):
        return Flaw(pointer=place, detail=sentence)
    return Flaw(parameter=place, detail=sentence)
