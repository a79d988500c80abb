"""
Azure Resource Graph as far as the inventory needs it: ask, follow pages, keep to the quota, ask for less when it is too much.

A query costs one of 15 in 5 seconds (documentation of throttled requests), and how long its text may be is documented
nowhere. So many keys go into one query, and half as many into two where Resource Graph refuses that; what worked is
remembered.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph.aio import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions, ResultFormat

from shared.cloud.arm_client import Answer, ArmClient, answer_of, entering
from shared.cloud.documents import Document, entries, member, text
from shared.core.azure_errors import classify
from shared.core.errors import ChangedUnderneath, RegistryIsolationError, Throttled
from shared.engine.ports import Clock

MOST_ROWS = 1000
"""Rows of one answer, and subscriptions of one question (documentation of large result sets)."""
LEAST_KEYS = 16
"""A question about so few things that is refused still is refused for another reason than its size."""
LONGEST_WAIT = timedelta(seconds=10)
"""The quota's window is 5 s; whoever must wait longer than this had better come back."""
_WINDOW = timedelta(seconds=5)
_MOST_PAGES = 50

_OPERATION = "query resource graph"
_TOO_LARGE = "responsepayloadtoolarge"
_NO_SUBSCRIPTION = "novalidsubscriptionsinqueryrequest"
_BAD_REQUEST = 400
_DURATION = re.compile(r"(\d+):(\d{2}):(\d{2})(?:\.\d+)?")

type Keyed = Callable[[Sequence[str]], str]
"""Makes a query about some keys."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What answering one caller took, and why rows may be missing from the answer."""

    queries: int = 0
    doubts: dict[str, None] = field(default_factory=dict)

    def doubt(self, sentence: str) -> None:
        """Note why rows may be missing; the same sentence once."""
        self.doubts.setdefault(sentence)

    @property
    def partial(self) -> str:
        """Every doubt."""
        return " ".join(self.doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One answer: *total* counts all pages, *token* leads to the next one."""

    rows: tuple[Document, ...]
    total: int
    token: str = ""


class ResourceGraph:
    """
    Resource Graph of one cloud.

    Args:
        clock: Waits for the quota.
    """

    def __init__(self, arm: ArmClient, clock: Clock) -> None:
        self._arm = arm
        self._clock = clock
        self._open_at: datetime | None = None
        self._sizes: dict[str, int] = {}

    async def page(
        self, tally: Tally, query: str, subscriptions: Sequence[str], *, token: str = "", top: int = MOST_ROWS
    ) -> Rows:
        """
        Ask for at most *top* rows, fewer where an answer would be too large.

        Args:
            token: Of the page before; "" for the first one.
            subscriptions: At most 1,000; () means every one that the app may read.

        Raises:
            ChangedUnderneath: *token* is not understood.
        """
        size = min(top, self._sizes.get(query, top))
        while True:
            try:
                found = await self._ask(tally, query, subscriptions, token, size)
            except RegistryIsolationError as error:
                if error.code.lower() != _TOO_LARGE or size <= LEAST_KEYS:
                    if token and _is_bad_request(error):
                        raise _strange_cursor() from error
                    raise
                size //= 2
                continue
            if size < top:
                self._sizes[query] = size
            return found

    async def about(
        self,
        tally: Tally,
        name: str,
        make: Keyed,
        keys: Iterable[str],
        subscriptions: Iterable[str],
        most: int = MOST_ROWS,
    ) -> list[Document]:
        """
        Every row about *keys*, in as few queries as Resource Graph puts up with.

        Args:
            name: Of the question, under which the number of keys that worked is remembered.
            make: The question about some of the keys.
            most: Keys of one query; where each key has a row of its own, 1,000 fill an answer.
        """
        size = self._sizes.get(name, most)
        waiting = list(dict.fromkeys(keys))
        scope = tuple(dict.fromkeys(subscriptions))
        rows: list[Document] = []
        while waiting:
            batch = waiting[:size]
            try:
                rows += await self.every(tally, make(batch), scope)
            except RegistryIsolationError as error:
                if not _is_bad_request(error) or len(batch) <= LEAST_KEYS:
                    raise
                size = (len(batch) + 1) // 2
                continue
            waiting = waiting[len(batch) :]
        if size < most:
            self._sizes[name] = size
        return rows

    async def every(self, tally: Tally, query: str, subscriptions: Sequence[str]) -> list[Document]:
        """Every row of *query*, page after page."""
        rows: list[Document] = []
        token = ""
        for _ in range(_MOST_PAGES):
            found = await self._ask(tally, query, subscriptions, token, MOST_ROWS)
            rows += found.rows
            token = found.token
            if not token:
                break
        if token or len(rows) < found.total:
            tally.doubt(f"Resource Graph gave {len(rows)} of {found.total} rows of a query.")
        return rows

    async def _ask(self, tally: Tally, query: str, subscriptions: Sequence[str], token: str, top: int) -> Rows:
        await self._await_quota()
        tally.queries += 1
        request = QueryRequest(
            query=query,
            subscriptions=list(subscriptions) or None,
            options=QueryRequestOptions(top=top, skip_token=token or None, result_format=ResultFormat.OBJECT_ARRAY),
        )
        client: ResourceGraphClient = self._arm.service(_client, "")
        try:
            with entering(_OPERATION, ""):
                answer = cast("Answer", await client.resources(request, cls=_whole))
        except Throttled as error:
            self._open_at = self._clock.now() + (error.retry_after or _WINDOW)
            raise
        except RegistryIsolationError as error:
            if error.code.lower() != _NO_SUBSCRIPTION:
                raise
            tally.doubt("The app may read none of the subscriptions that a query of Resource Graph was about.")
            return Rows(rows=(), total=0)
        self._note_quota(answer.headers)
        return _rows(answer, tally)

    async def _await_quota(self) -> None:
        if self._open_at is None:
            return
        left = self._open_at - self._clock.now()
        if left > LONGEST_WAIT:
            raise Throttled(
                f"The quota of Resource Graph is used up for {left.total_seconds():.0f} seconds.",
                operation=_OPERATION,
                retry_after=left,
            )
        await self._clock.sleep(left)
        self._open_at = None

    def _note_quota(self, headers: Mapping[str, str]) -> None:
        remaining = headers.get("x-ms-user-quota-remaining", "")
        if remaining.strip() == "0":
            self._open_at = self._clock.now() + _duration(headers.get("x-ms-user-quota-resets-after", ""))


def _client(credential: Any, _subscription: str, **options: Any) -> ResourceGraphClient:
    """Resource Graph belongs to the tenant: its client takes no subscription."""
    return ResourceGraphClient(credential, **options)


def _whole(response: Any, _typed: object, _headers: object) -> Answer:
    """For the SDK's `cls=`: the quota stands in the headers."""
    return answer_of(response.http_response)


def _rows(answer: Answer, tally: Tally) -> Rows:
    body = answer.body
    if not isinstance(member(body, "data"), list):
        raise classify(None, "the answer of Resource Graph holds no rows.", {}, operation=_OPERATION, resource_id="")
    rows = entries(body, "data")
    token = text(body, "$skipToken")
    if str(member(body, "resultTruncated")).lower() == "true" and not token:
        tally.doubt("Resource Graph truncated an answer.")
    total = member(body, "totalRecords")
    return Rows(rows=rows, total=total if isinstance(total, int) else len(rows), token=token)


def _is_bad_request(error: RegistryIsolationError) -> bool:
    cause = error.__cause__
    return error.code.lower() == _TOO_LARGE or (
        isinstance(cause, HttpResponseError) and cause.status_code == _BAD_REQUEST
    )


def _strange_cursor() -> ChangedUnderneath:
    return ChangedUnderneath(
        "Resource Graph does not continue at the page that was asked for; the inventory has to be read from its beginning.",
        operation=_OPERATION,
    )


def _duration(told: str) -> timedelta:
    """`hh:mm:ss` as in the quota header, the whole window if it cannot be read."""
    found = _DURATION.fullmatch(told.strip())
    if found is None:
        return _WINDOW
    hours, minutes, seconds = map(int, found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
