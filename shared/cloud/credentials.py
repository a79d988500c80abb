"""
Who the app is in Azure.

`azure.identity` costs a quarter of a second to import and is imported by the first call that needs a credential, not
by the start of the process.
"""

from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.core.azure_error_body import quoted
from shared.core.clouds import Cloud
from shared.core.errors import MissingPermission, RegistryIsolationError, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

_SERVER_ERRORS = range(500, 600)
_TOO_MANY = 429
_OPERATION = "get an access token"


def create_credential(cloud: Cloud, *, client_id: str = "", ca_file: str = "") -> "AsyncTokenCredential":
    """
    Create the credential of the app; the caller closes it.

    Args:
        cloud: Whose authority is asked.
        client_id: Of a user-assigned identity; "" for the system-assigned one, or a developer's own sign-in.
        ca_file: Certificate authority of a simulated Azure's token endpoint, as a PEM file; "" for the usual ones.
    """
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415 -- cold start

    trust: dict[str, Any] = {"connection_verify": ca_file} if ca_file else {}
    if client_id:
        return ManagedIdentityCredential(client_id=client_id, **trust)
    return DefaultAzureCredential(authority=cloud.authority, **trust)


def token_error(error: AzureError) -> RegistryIsolationError:
    """Name what a credential raised instead of giving a token."""
    said = quoted(str(error))
    response = error.response if isinstance(error, HttpResponseError) else None
    busy = response is not None and (response.status_code in _SERVER_ERRORS or response.status_code == _TOO_MANY)
    if isinstance(error, ClientAuthenticationError) and not busy:
        return MissingPermission(
            f"The app gets no access token for Azure Resource Manager: {said} Assign a managed identity to the "
            "function app, or correct its client id.",
            operation=_OPERATION,
        )
    return Unavailable(f"The token service of the app's identity did not answer: {said}", operation=_OPERATION)
