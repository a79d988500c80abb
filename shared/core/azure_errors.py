"""
Turn what Azure answered into one leaf of the error tree.

The HTTP status alone misleads (a 429 may mean a lock, a failed long operation arrives as 200) and so does the
outermost code (`RetryableError`, `UserError`, `BadRequest` wrap the real one), so the most specific code that is
known decides, then a few telling phrases, then the status. The meanings are data, in `core.azure_error_table`. Called
by everything that talks to Azure; it never raises for what Azure said.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from shared.core.arm import ResourceId
from shared.core.azure_error_body import AzureAnswer, Said, quoted, read_answer, told_delay
from shared.core.azure_error_table import (
    BUSY,
    CODES,
    DENY_ASSIGNMENT,
    GENERIC,
    LINKED_DENIED,
    LINKED_ELSEWHERE,
    NO_GROUP,
    NOT_FOUND,
    NOT_PREMIUM,
    REPLICATING,
    STALE,
    SUBNET_FULL,
    SUBNET_MISSING,
    THROTTLED,
    Row,
)
from shared.core.errors import (
    Blocked,
    MalformedResourceId,
    OperationFailed,
    Refused,
    RegistryIsolationError,
    Temporary,
    Unavailable,
)

_ACCEPTED = range(200, 400)
_CLIENT_ERROR = range(400, 500)
_FORBIDDEN, _CONFLICT, _MANY = 403, 409, 429
_MOST_TEXT = 20_000
_PHRASED = frozenset({400, 409, 422, 429})
_WRITES = frozenset({"put", "patch", "post", "create", "update", "write", "close", "link"})
_CONNECTIONS = re.compile(r"/privateEndpointConnections\b", re.IGNORECASE)
_POLICY_IN_TEXT = re.compile(
    r"\"policyAssignment\"\s*:\s*\{\s*\"name\"\s*:\s*\"(?P<name>[^\"]{1,200})\"", re.IGNORECASE
)
_RELATIVE_ACTION = re.compile(r"(?!Microsoft\.)[\w/]+", re.IGNORECASE)

_UNKNOWN = Row(leaf=Refused, sentence="Azure refuses to {what}: {message}")
_FAILED = Row(leaf=OperationFailed, sentence="Azure began to {what} and then failed: {message}")
_NO_ANSWER = Row(leaf=Unavailable, sentence="Azure did not answer when asked to {what}: {message}")
_UNABLE = Row(leaf=Unavailable, sentence="Azure could not {what} now: {message}")
# Not a missing right: a role assignment would not help, a new token may, and outages of Entra ID end by themselves.
_TOKEN = Row(leaf=Unavailable, sentence="Azure does not accept the app's token to {what}: {message}")
_BY_STATUS = {401: _TOKEN, 404: NOT_FOUND, 408: _UNABLE, 412: STALE, 501: _UNKNOWN, 505: _UNKNOWN}

_PHRASES: tuple[tuple[re.Pattern[str], Row], ...] = (
    (
        re.compile(r"does not have enough capacity|no (?:free|available) (?:ip|private ip|address)", re.IGNORECASE),
        SUBNET_FULL,
    ),
    (re.compile(r"/subnets/[^ ]{1,200} referenced by .{1,2100} was not found", re.IGNORECASE), SUBNET_MISSING),
    (re.compile(r"/privateDnsZones/[^ ]{1,200} referenced by .{1,2100} was not found", re.IGNORECASE), STALE),
    (re.compile(r"linked to multiple zones with overlapping namespaces", re.IGNORECASE), LINKED_ELSEWHERE),
    (re.compile(r"replication.{0,200}?(?:creating|provisioning|in progress|not in)", re.IGNORECASE), REPLICATING),
    (re.compile(r"\bsku\b.{0,200}?\bpremium\b|\bpremium\b.{0,200}?\bsku\b", re.IGNORECASE), NOT_PREMIUM),
    (
        re.compile(
            r"operation (?:is )?(?:already )?in progress|exclusive (?:lock|access)|exlusive lock|busy processing|is "
            r"(?:already )?in progress|"
            r"try again later|retry the (?:request|operation) (?:later|after)",
            re.IGNORECASE,
        ),
        BUSY,
    ),
)
"""What services say where their code says nothing: recorded or reported wordings, one misspelt by its service."""


def classify(
    status: int | None,
    body: object,
    headers: Mapping[str, str],
    *,
    operation: str,
    resource_id: str,
    now: datetime | None = None,
) -> RegistryIsolationError:
    """
    Name the error behind an answer of Azure.

    Args:
        status: HTTP status; None if there was no answer at all.
        body: Parsed JSON, a text, or None; for a failed connection, what was wrong with it.
        headers: Of the answer; names are compared without case.
        operation: What was tried, as "verb resource type": a sentence says that Azure refuses to do it.
        resource_id: The ARM id concerned, as received, or "".
        now: What a date in Retry-After is measured from; the answer's own Date header if None.

    Returns:
        The error, not raised. For a long operation's answer (status 200, `Failed`), a temporary leaf means that
        starting the operation again is worth trying; asking its operation URL again never is.
    """
    answer = read_answer(body, headers)
    said = _most_specific(answer)
    text = " ".join([said.message, *(other.message for other in answer.errors if other is not said)])[
        :_MOST_TEXT
    ].strip()
    row = _row(status, said, text, operation, resource_id)
    message = quoted(said.message or text) or _silence(status)
    sentence = _sentence(row, text, message, answer, operation, resource_id)
    if issubclass(row.leaf, Temporary):
        delay = told_delay(headers, text, now=now) or row.delay
        return row.leaf(sentence, code=said.code, resource_id=resource_id, operation=operation, retry_after=delay)
    return row.leaf(sentence, code=said.code, resource_id=resource_id, operation=operation)


def _most_specific(answer: AzureAnswer) -> Said:
    """The deepest known code; among equals one that a person must act on, because waiting will not cure it."""
    return max(answer.errors, key=_rank)


def _rank(said: Said) -> tuple[int, int, bool]:
    row = CODES.get(said.code.lower())
    if row:
        return (3, said.depth, issubclass(row.leaf, Blocked))
    if said.code.lower() in GENERIC:
        return (1, said.depth, False)
    return (2 if said.code and said.depth else 1 if said.code else 0, said.depth, False)


def _row(status: int | None, said: Said, text: str, operation: str, resource_id: str) -> Row:
    code = said.code.lower()
    if status is None:
        return _NO_ANSWER
    if code == "authorizationfailed" and "deny assignment" in text.lower():
        return DENY_ASSIGNMENT
    if code == "linkedauthorizationfailed" and "deny assignment" in text.lower():
        return LINKED_DENIED
    if code == "preconditionfailed" and (busy := _phrase(text)) is BUSY:
        return busy
    if code == "resourcegroupnotfound" and operation.partition(" ")[0].lower() in _WRITES:
        return NO_GROUP
    if code == "invalidvaluesforrequestparameters" and _CONNECTIONS.search(f"{operation} {resource_id}"):
        return STALE  # storage refuses to approve what is approved already
    known = CODES.get(code)
    if known:
        return known
    phrase = _phrase(text)
    if phrase and (status in _ACCEPTED or status in _PHRASED):
        return phrase
    generic = GENERIC.get(code)
    if generic and (not generic.statuses or status in generic.statuses):
        return generic
    return _row_by_status(status, code, text)


def _row_by_status(status: int, code: str, text: str) -> Row:
    if status == _MANY or code == str(_MANY):
        return THROTTLED
    if status == _FORBIDDEN and "deny assignment" in text.lower():
        return DENY_ASSIGNMENT
    if status == _CONFLICT and (not (code or text) or code.endswith("inprogress")):
        return BUSY
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status in _ACCEPTED:
        return _FAILED
    return _UNKNOWN if status in _CLIENT_ERROR else _UNABLE


def _phrase(text: str) -> Row | None:
    return next((row for pattern, row in _PHRASES if pattern.search(text)), None)


def _silence(status: int | None) -> str:
    if status is None:
        return "the connection failed."
    return "no reason was given." if status in _ACCEPTED else f"HTTP {status} without an explanation."


def _sentence(row: Row, text: str, message: str, answer: AzureAnswer, operation: str, resource_id: str) -> str:
    found = row.pattern.search(text) if row.pattern else None
    names = {name: quoted(value) for name, value in found.groupdict().items() if value} if found else {}
    complete = row.pattern is None or bool(
        found and (row.pattern.groups == len(names) or _complete(names, resource_id))
    )
    if "linked_action" in names:
        names["linked_action"] = _full_action(names["linked_action"], names["linked_scope"])
    template = row.sentence if complete else row.otherwise
    return template.format(
        **names,
        what=_what(operation, resource_id),
        message=message,
        resource=resource_id or "the resource",
        policies=" and ".join(f"'{name}'" for name in _policies(answer, text)) or "(not named)",
    )


def _complete(names: dict[str, str], resource_id: str) -> bool:
    """Fill in the subscription, the one name that Azure leaves out although the resource id has it."""
    try:
        names.setdefault("subscription", ResourceId.parse(resource_id).subscription)
    except MalformedResourceId:
        return False
    return "provider" in names


def _what(operation: str, resource_id: str) -> str:
    name = resource_id.rstrip("/").rpartition("/")[2]
    return f"{operation or 'act on'} '{name}'" if name else operation or "do what was asked"


def _policies(answer: AzureAnswer, text: str) -> Iterator[str]:
    if answer.policies:
        yield from answer.policies
    else:
        yield from dict.fromkeys(match["name"] for match in _POLICY_IN_TEXT.finditer(text))


def _full_action(action: str, scopes: str) -> str:
    """Azure shortens the action to `join/action`; a role definition needs the linked resource's type before it."""
    try:
        scope = ResourceId.parse(scopes.partition(",")[0].strip())
    except MalformedResourceId:
        return action
    return f"{scope.type}/{action}" if _RELATIVE_ACTION.fullmatch(action) else action
