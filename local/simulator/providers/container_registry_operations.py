"""
How Microsoft.ContainerRegistry tells about its long operations.

As recorded: polls show a state of the resource ("Creating", "Updating") until "Succeeded"; a connection's pending polls
are HTTP 201 with id, name and status; no Retry-After except on the deletion of a registry.
"""

from urllib.parse import urlsplit

from local.simulator.operations import Operation, OperationStyle, constant
from local.simulator.wire import JSON_CONTENT, JsonObject

_RESULT = (
    "/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/locations/{location}/operationResults/{id}"
)


def _style(state: str) -> OperationStyle:
    return OperationStyle(
        status_path="{resource}/operationStatuses/{id}",
        pending_body=lambda _operation: {"status": state},
        repeat_headers=True,
        done_names_itself=True,
    )


REGISTRY = {state: _style(state) for state in ("Creating", "Updating")}
"""Creation and change of a registry, by the state that pending polls show."""

REPLICATION = REGISTRY
"""No recording; by analogy with the registry."""

DELETION = OperationStyle(
    result_path=_RESULT,
    first_retry_after=10,
    retry_after=constant(10),
    result_done_status=200,
    empty_content_type=JSON_CONTENT,
)
"""Of a replicated registry, or of a replication."""

GONE_CONNECTION = OperationStyle(result_path=_RESULT, result_done_status=200, empty_content_type=JSON_CONTENT)
"""Deletion of a connection: Location only, no Retry-After."""


def _connection_progress(operation: Operation) -> JsonObject:
    status = "Updating" if operation.running else operation.state.value
    body: JsonObject = {"id": urlsplit(operation.status_url).path, "name": operation.id, "status": status}
    return body if operation.error is None else body | {"error": operation.error}


CONNECTION = OperationStyle(
    status_path="{resource}/operationStatuses/{id}",
    pending_status=201,
    pending_body=_connection_progress,
    done_body=_connection_progress,
    repeat_headers=True,
)
"""Approval or rejection of a connection."""
