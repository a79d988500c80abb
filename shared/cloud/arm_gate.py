"""
The gate that every call to Azure Resource Manager passes: it keeps to what Azure has said of its limits.

Reads the headers that tell what is left and the refusals, and tells both to the process's `Throttle`. A 429 that means a
locked resource is not counted: waiting for that is the caller's business and nobody else's.
"""

import asyncio
import json

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from shared.core.azure_errors import classify
from shared.core.azure_limits import MANAGER, Bucket, buckets_of
from shared.core.errors import Throttled
from shared.engine.throttle import Throttle

_MANY = 429
# The caller's own share of a subscription; the "global" ones are of all callers together, which is fifteen times as much.
_LEFT = {
    "Resource Manager reads": "x-ms-ratelimit-remaining-subscription-reads",
    "Resource Manager writes": "x-ms-ratelimit-remaining-subscription-writes",
    "Resource Manager deletions": "x-ms-ratelimit-remaining-subscription-deletes",
}
_MANAGERS_CODES = frozenset({"subscriptionrequeststhrottled", "tenantrequeststhrottled"})


class Gate(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Lets a call through when its buckets allow it."""

    def __init__(self, throttle: Throttle) -> None:
        super().__init__()
        self._throttle = throttle

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        """
        Send *request* in its turn.

        Raises:
            Throttled: Its turn is too far away; nothing was sent.
        """
        buckets = buckets_of(request.http_request.method, request.http_request.url)
        wait = self._throttle.take(buckets)
        while wait:
            await asyncio.sleep(wait)
            wait = self._throttle.closed(buckets)  # somebody may have been refused meanwhile
        response = await self.next.send(request)
        self._learn(buckets, response.http_response)
        return response

    def _learn(self, buckets: tuple[Bucket, ...], answer: AsyncHttpResponse) -> None:
        for each in buckets:
            header = _LEFT.get(each.limit.name, "")
            left = answer.headers.get(header, "") if header else ""
            if left.isascii() and left.isdecimal():
                self._throttle.told(each, float(left))
        if answer.status_code != _MANY:
            return
        error = classify(_MANY, _body(answer), answer.headers, operation="call", resource_id="")
        if isinstance(error, Throttled):
            by_manager = error.code.lower() in _MANAGERS_CODES
            for each in buckets:
                if (each.limit in MANAGER) is by_manager:
                    self._throttle.refused(each, error.retry_after)


def _body(answer: AsyncHttpResponse) -> object:
    try:
        return json.loads(answer.content)
    except (ValueError, RecursionError):
        return answer.content.decode("utf-8", "replace")
