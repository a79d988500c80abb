"""
How Microsoft.MachineLearningServices tells about its long operations, and which api-versions it accepts.

As recorded: 202 without a body, Azure-AsyncOperation and Location on the same operation id, no Retry-After, polls
{"status": "InProgress"} and at the end {"status": "Succeeded", "percentComplete": 100.0}.
"""

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.operations import Operation, OperationState, OperationStyle
from local.simulator.wire import JsonObject

_PROVIDER = "/subscriptions/{subscription}/providers/Microsoft.MachineLearningServices/locations/{location}"

API_VERSIONS = (
    "2022-05-01-privatepreview",
    "2022-10-01-preview",
    "2022-12-01-preview",
    "2023-02-01-preview",
    "2023-04-01",
    "2023-04-01-preview",
    "2023-06-01-preview",
    "2023-08-01-preview",
    "2023-10-01",
    "2024-01-01-preview",
    "2024-04-01",
    "2024-04-01-preview",
    "2024-07-01-preview",
    "2024-10-01",
    "2024-10-01-preview",
    "2025-01-01-preview",
    "2025-04-01",
    "2025-04-01-preview",
    "2025-06-01",
    "2025-07-01-preview",
    "2025-09-01",
    "2025-10-01-preview",
    "2025-12-01",
    "2026-01-15-preview",
    "2026-03-01",
    "2026-03-15-preview",
    "2026-05-01",
    "2026-05-15-preview",
    "2026-07-01",
    "2026-07-15-preview",
    "2026-09-01",
)
"""Of registries (template reference and the specification repository's list)."""


def _ended(operation: Operation) -> JsonObject:
    if operation.state is OperationState.SUCCEEDED:
        return {"status": "Succeeded", "percentComplete": 100.0}
    return {"status": operation.state.value, "error": operation.error or {}}


def _style(kind: str) -> OperationStyle:
    path = f"{_PROVIDER}/{kind}/{{id}}"
    return OperationStyle(
        status_path=path,
        result_path=path,
        status_query="api-version={api_version}&type=async",
        result_query="api-version={api_version}&type=location",
        done_body=_ended,
        result_done_status=200,
    )


REGISTRY = _style("registryOperationsStatus")
WORKSPACE = _style("workspaceOperationsStatus")


def demand_api_version(call: Call, kind: str, location: str) -> None:
    """400 with the accepted versions in the text, as Resource Manager tells it for an api-version it does not route."""
    if call.api_version.lower() in API_VERSIONS or call.api_version.startswith("0000"):
        return
    raise ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{call.api_version}' for "
        f"type '{kind}'. The supported api-versions are '{', '.join(API_VERSIONS)}'. The supported locations are "
        f"'{location}'.",
        shape=Shape.GATEWAY,
    )
