"""
From whatever the storage SDKs raise to the one error tree.

Tables, queues and blobs answer errors in different shapes and their SDKs raise different classes, so only the HTTP
status and the service's error code are looked at. Used by the ledger, the work queue and the leases; nothing here
retries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError

from shared.core.azure_error_body import read_answer
from shared.core.azure_errors import classify
from shared.core.errors import Busy, RegistryIsolationError

CONFLICT, NOT_FOUND, PRECONDITION_FAILED = 409, 404, 412

# A deleted table, queue or container keeps its name for 30 to 40 seconds (documentation of Delete Table, Delete Queue).
_DELETION = timedelta(seconds=40)
_BEING_DELETED = frozenset({"tablebeingdeleted", "queuebeingdeleted", "containerbeingdeleted"})


@contextmanager
def named_errors(operation: str, resource_id: str = "") -> Iterator[None]:
    """
    Let errors of the SDKs leave the block as members of the error tree.

    Args:
        operation: What is tried, as "verb thing".
        resource_id: The ARM id it is done for, "" if none.
    """
    try:
        yield
    except AzureError as error:
        raise storage_error(error, operation=operation, resource_id=resource_id) from error


def storage_error(error: AzureError, *, operation: str, resource_id: str = "") -> RegistryIsolationError:
    """Name *error*; the answer is not raised."""
    code = error_code(error)
    if code.lower() in _BEING_DELETED:
        return Busy(
            f"The storage account is still deleting what once held this ({code}), so '{operation}' has to wait.",
            code=code,
            resource_id=resource_id,
            operation=operation,
            retry_after=_DELETION,
        )
    if isinstance(error, HttpResponseError) and error.response is not None:
        read = _read_code(error)
        body: object = {"code": read, "message": _message(error)} if read else _body(error)
        return classify(error.status_code, body, _headers(error), operation=operation, resource_id=resource_id)
    return classify(None, _message(error), {}, operation=operation, resource_id=resource_id)


def error_code(error: AzureError) -> str:
    """The service's own code, "" if it gave none."""
    if read := _read_code(error):
        return read
    if not isinstance(error, HttpResponseError):
        return ""
    return read_answer(_body(error), _headers(error)).errors[0].code


def _read_code(error: AzureError) -> str:
    """The code as far as the SDK has read it: a text, or a member of one of its text enums."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code)) if code else ""


def _headers(error: AzureError) -> dict[str, str]:
    response: Any = getattr(error, "response", None)
    return {str(name).lower(): str(value) for name, value in response.headers.items()} if response is not None else {}


def _message(error: AzureError) -> str:
    """The service's sentence without the lines of request id, time and code that follow it."""
    return str(error.message).partition("\n")[0]


def _body(error: HttpResponseError) -> object:
    response = error.response
    try:
        return response.text() if response is not None else None
    except (AttributeError, ValueError):  # a streamed answer that the SDK has not read
        return _message(error)
