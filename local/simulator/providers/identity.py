"""
Who and where the cloud is: its metadata, managed identity tokens, and the token service that clients may ask instead.

Tokens are unsigned. The managed identity endpoint wants the secret of the X-IDENTITY-HEADER and gives the configured
principal, or the one that client_id or principal_id names. Client credentials are accepted for every known principal;
their secret is not looked at.
"""

from urllib.parse import parse_qs, urlsplit

from local.simulator.call import Call
from local.simulator.errors import ArmError, Shape
from local.simulator.kernel import Kernel
from local.simulator.rbac import Principal
from local.simulator.routing import Route
from local.simulator.wire import JsonObject, Response

IDENTITY_PATH = "/identity/token"
SIMULATED_CLOUD = "SimulatedAzure"
"""Name of a cloud whose Resource Manager is not a real one's: clients have built-in addresses for the real names."""

_FIRST_SINGLE = "2022-09-01"
"""From this version on the metadata is one object, before it a list of clouds (Azure CLI, azure-ai-ml)."""


def cloud_metadata(azure: Kernel) -> JsonObject:
    """The cloud as Azure CLI and the SDKs discover it."""
    cloud = azure.cloud
    real = azure.endpoint == cloud.resource_manager
    return {
        "portal": cloud.portal,
        "authentication": {
            "loginEndpoint": f"https://{cloud.login}/" if real else azure.endpoint,
            "audiences": [f"{azure.endpoint}/", azure.endpoint],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graphAudience": f"{azure.endpoint}/graph",
        "graph": f"{azure.endpoint}/graph",
        "name": cloud.name if real else SIMULATED_CLOUD,
        "suffixes": {
            "acrLoginServer": cloud.registry_suffix,
            "keyVaultDns": cloud.key_vault_suffix,
            "storage": cloud.storage_suffix,
            "sqlServerHostname": "database.windows.net",
        },
        "batch": f"{azure.endpoint}/batch",
        "resourceManager": f"{azure.endpoint}/",
        "activeDirectoryDataLake": f"{azure.endpoint}/datalake",
        "sqlManagement": f"{azure.endpoint}/sql",
        "gallery": f"{azure.endpoint}/gallery",
        "microsoftGraphResourceId": f"{azure.endpoint}/graph",
        "logAnalyticsResourceId": f"{azure.endpoint}/loganalytics",
        "vmImageAliasDoc": f"{azure.endpoint}/aliases.json",
        "media": f"{azure.endpoint}/media",
    }


def get_metadata(azure: Kernel, call: Call) -> Response:
    metadata = cloud_metadata(azure)
    version = call.api_version or _FIRST_SINGLE
    return Response.of(200, metadata if version >= _FIRST_SINGLE else [metadata])


# -- managed identity ------------------------------------------------------------------------------------------------


def managed_identity_token(azure: Kernel, call: Call) -> Response:
    """The token endpoint of App Service and Functions, api-version 2019-08-01."""
    query = call.request.query
    if call.request.header("X-IDENTITY-HEADER") != azure.identity_header:
        raise ArmError(401, "Unauthorized", "The X-IDENTITY-HEADER is missing or wrong.", shape=Shape.BARE)
    resource = query.get("resource", "")
    if not resource:
        raise ArmError(400, "BadRequest", "The parameter 'resource' is missing.", shape=Shape.BARE)
    wanted = query.get("client_id") or query.get("principal_id") or query.get("object_id") or azure.identity_principal
    principal = _known(azure, wanted)
    if principal is None:
        raise ArmError(400, "BadRequest", f"No managed identity with id '{wanted}' is assigned.", shape=Shape.BARE)
    expires = int(azure.world.now.timestamp()) + _LIFETIME
    return Response.of(
        200,
        {
            "access_token": azure.rbac.token(principal.id, audience=resource, now=azure.world.now, lifetime=_LIFETIME),
            "client_id": principal.application_id or principal.id,
            "expires_on": str(expires),
            "not_before": str(int(azure.world.now.timestamp())),
            "resource": resource,
            "token_type": "Bearer",
        },
    )


_LIFETIME = 86400


def _known(azure: Kernel, identifier: str) -> Principal | None:
    """The principal with that object id or application id."""
    wanted = identifier.lower()
    found = azure.rbac.principals.get(wanted)
    if found is not None:
        return found
    return next((each for each in azure.rbac.principals.values() if each.application_id.lower() == wanted), None)


# -- token service ---------------------------------------------------------------------------------------------------


def openid_configuration(azure: Kernel, call: Call) -> Response:
    tenant = azure.tenant_id if call.params["tenant"] in ("common", "organizations") else call.params["tenant"]
    base = f"{azure.endpoint}/{tenant}"
    return Response.of(
        200,
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "issuer": f"https://sts.windows.net/{tenant}/",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": None,
            "cloud_instance_name": urlsplit(azure.endpoint).netloc,
        },
    )


def instance_discovery(azure: Kernel, _call: Call) -> Response:
    """Tells a client that this host is a token service of its own cloud."""
    host = urlsplit(azure.endpoint).netloc
    return Response.of(
        200,
        {
            "tenant_discovery_endpoint": f"{azure.endpoint}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        },
    )


def client_token(azure: Kernel, call: Call) -> Response:
    """Client credentials: a token for the principal that client_id names."""
    form = {key: values[0] for key, values in parse_qs(call.request.body.decode()).items()}
    principal = _known(azure, form.get("client_id", ""))
    if form.get("grant_type") != "client_credentials" or principal is None:
        return Response.of(
            401,
            {"error": "invalid_client", "error_description": "The client is unknown or the grant is not supported."},
        )
    audience = form.get("scope", azure.endpoint).removesuffix("/.default")
    token = azure.rbac.token(principal.id, audience=audience, now=azure.world.now, lifetime=_LIFETIME)
    return Response.of(
        200, {"token_type": "Bearer", "expires_in": _LIFETIME, "ext_expires_in": _LIFETIME, "access_token": token}
    )


ROUTES = (
    Route("GET", "/metadata/endpoints", get_metadata, anonymous=True),
    Route("GET", IDENTITY_PATH, managed_identity_token, anonymous=True),
    Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration, anonymous=True),
    Route("GET", "/common/discovery/instance", instance_discovery, anonymous=True),
    Route("POST", "/{tenant}/oauth2/v2.0/token", client_token, anonymous=True),
)
