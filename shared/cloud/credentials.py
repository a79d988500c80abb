"""
Who the app is in Azure.

`azure.identity` costs a quarter of a second to import and is imported by the first call that needs a credential, not
by the start of the process.

What the platform or the environment names is asked by itself, not as one of the many that `DefaultAzureCredential`
tries: that one joins the texts of all of them and drops the status, after which a token service that is down cannot be
told from an identity that nobody assigned.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.core.azure_error_body import quoted
from shared.core.clouds import Cloud
from shared.core.errors import MissingPermission, RegistryIsolationError, Unavailable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential

# azure-identity itself asks again after these (its settings for the instance metadata service): the service is
# restarting, being updated, throttling or broken, and says nothing about the identity.
_PASSING = frozenset({404, 408, 410, 429, *range(500, 600)})
_FIRST_REFUSAL = 400
_OPERATION = "get an access token"
_CLIENT_ID = "AZURE_CLIENT_ID"
_SERVICE_PRINCIPAL = (_CLIENT_ID, "AZURE_TENANT_ID")
_PROOFS = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH")
_PLATFORMS = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT", "AZURE_FEDERATED_TOKEN_FILE")

# Whoever calls decides about repeating; azure-identity would repeat ten times, for minutes, inside of a pass that has one.
_BOUNDS = {"retry_total": 0, "connection_timeout": 5, "read_timeout": 15}


def create_credential(cloud: Cloud, *, client_id: str = "", ca_file: str = "") -> "AsyncTokenCredential":
    """
    Create the credential of the app; the caller closes it.

    Args:
        cloud: Whose authority is asked.
        client_id: Of a user-assigned identity; "" for the one that the environment names: a service principal, the
            platform's managed identity, or else a developer's own sign-in.
        ca_file: Certificate authority of a simulated Azure's token endpoint, as a PEM file; "" for the usual ones.
    """
    from azure.identity.aio import (  # noqa: PLC0415 -- cold start
        DefaultAzureCredential,
        EnvironmentCredential,
        ManagedIdentityCredential,
    )

    options: dict[str, Any] = {**_BOUNDS, "connection_verify": ca_file} if ca_file else {**_BOUNDS}
    if client_id:
        return ManagedIdentityCredential(client_id=client_id, **options)
    if _is_service_principal(os.environ):
        return EnvironmentCredential(authority=cloud.authority, **options)
    if any(os.environ.get(name) for name in _PLATFORMS):
        return ManagedIdentityCredential(client_id=os.environ.get(_CLIENT_ID), **options)
    return DefaultAzureCredential(authority=cloud.authority, **options)


def _is_service_principal(environ: Mapping[str, str]) -> bool:
    """Whether *environ* names one completely, as `EnvironmentCredential` reads it."""
    return all(environ.get(name) for name in _SERVICE_PRINCIPAL) and any(environ.get(name) for name in _PROOFS)


class NamedTokens:
    """
    A credential whose errors are our own, so that whatever the service says of a token is the service's word.

    Args:
        credential: Its owner closes it.
        audience: As in `token_error`.
        refused: As in `token_error`.
    """

    def __init__(
        self, credential: Any, audience: str, refused: type[RegistryIsolationError] = MissingPermission
    ) -> None:
        self._credential = credential
        self._audience = audience
        self._refused = refused

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        """Get a token; raises our own error if there is none."""
        try:
            token: AccessToken = await self._credential.get_token(*scopes, **options)
        except AzureError as error:
            raise token_error(error, self._audience, self._refused) from error
        return token

    async def close(self) -> None:
        """Whoever made the credential closes it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing was opened."""


def token_error(
    error: AzureError, audience: str, refused: type[RegistryIsolationError] = MissingPermission
) -> RegistryIsolationError:
    """
    Name what a credential raised instead of giving a token.

    Args:
        error: What it raised.
        audience: Whom the token was for, as a sentence names it.
        refused: What it is if the token service refuses; if it is only in trouble, it is `Unavailable`.
    """
    said = quoted(str(error))
    if isinstance(error, ClientAuthenticationError) and not _passes(error):
        return refused(
            f"The app gets no access token for {audience}: {said} Assign a managed identity to the "
            "function app, or correct its client id; on a machine of your own, sign in with az login.",
            operation=_OPERATION,
        )
    return Unavailable(
        f"The token service of the app's identity did not answer when asked for {audience}: {said}",
        operation=_OPERATION,
    )


def _passes(error: HttpResponseError) -> bool:
    """Whether the token service answered, but not about the identity: it is away, or something else stands in for it."""
    status = error.status_code
    return status is not None and (status in _PASSING or status < _FIRST_REFUSAL)
