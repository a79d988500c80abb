"""
What a machine learning registry looks like on the wire.

Member names, order and the serialised nulls are as recorded (aso2512 with 2024-04-01, azcli2411 with
2022-10-01-preview). A registry has no provisioningState. Pure: it knows no world and no clock.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.simulator.errors import ArmError, Shape
from local.simulator.wire import JsonObject, Response

TYPE = "Microsoft.MachineLearningServices/registries"
GROUP_ID = "amlregistry"

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{1,31}")


def refuse_bad_name(name: str) -> None:
    """Two to 32 letters, digits, hyphens and underscores (documentation: manage registries)."""
    if not _NAME.fullmatch(name):
        raise user_error(400, "InvalidRegistryName", f"Registry name {name} is invalid.")


def user_error(status: int, code: str, message: str, *, extra: JsonObject | None = None) -> ArmError:
    """An error in the long form of Microsoft.MachineLearningServices."""
    return ArmError(status, code, message, shape=Shape.MACHINE_LEARNING, extra=extra)


def registry_not_found(name: str, location: str) -> ArmError:
    """The 404 of the resource provider itself (recorded: aso2512, two seconds after a successful GET)."""
    return user_error(
        404,
        "RegistryNotFound",
        f"Registry {name} not found",
        extra={
            "messageFormat": "Registry {registryName} not found",
            "messageParameters": {"registryName": name},
            "location": location,
        },
    )


class _ConnectionNotFound(ArmError):
    """The 404 of a connection, which was recorded without `statusCode` (azcli2411)."""

    def render(self) -> Response:
        full = super().render()
        body = {name: value for name, value in full.json().items() if name != "statusCode"}
        return Response.of(full.status, body, self.headers)


def connection_not_found(name: str, location: str) -> ArmError:
    """Recorded: azcli2411; the inner error is null here."""
    return _ConnectionNotFound(
        404,
        "UserError",
        f"Can't find PrivateEndpointConnection: {name}",
        shape=Shape.MACHINE_LEARNING,
        extra={"innerError": None, "location": location},
    )


def regions_asked(request: Mapping[str, Any]) -> tuple[JsonObject, ...]:
    """The `regionDetails` of a request, every location once, in order."""
    seen: dict[str, JsonObject] = {}
    for detail in (request.get("properties") or {}).get("regionDetails") or ():
        seen.setdefault(str(detail["location"]).replace(" ", "").lower(), dict(detail))
    return tuple({**detail, "location": location} for location, detail in seen.items())


def storage_asked(detail: Mapping[str, Any]) -> JsonObject:
    """What a region asks of its storage account: `storageAccountType` verbatim, hierarchical namespace or not."""
    details = detail.get("storageAccountDetails") or [{}]
    if details[0].get("userCreatedStorageAccount"):
        raise user_error(400, "BadArgument", "Creating registry using an existing storage account is not permitted")
    asked = details[0].get("systemCreatedStorageAccount") or {}
    return {
        "storageAccountType": asked.get("storageAccountType") or "Standard_LRS",
        "storageAccountHnsEnabled": bool(asked.get("storageAccountHnsEnabled")),
        "allowBlobPublicAccess": bool(asked.get("allowBlobPublicAccess")),
    }


def region_details(location: str, storage: JsonObject, storage_id: str | None, acr_id: str | None) -> JsonObject:
    """One region. The names a caller asked for are ignored (recorded); without ids the region is still being made."""
    account: JsonObject = {
        "storageAccountName": _tail(storage_id),
        "storageAccountType": storage["storageAccountType"],
        "storageAccountHnsEnabled": storage["storageAccountHnsEnabled"],
        "armResourceId": _reference(storage_id),
    }
    registry: JsonObject = {
        "acrAccountName": _tail(acr_id),
        "acrAccountSku": "Premium",
        "armResourceId": _reference(acr_id),
    }
    return {
        "location": location,
        "storageAccountDetails": [{"userCreatedStorageAccount": None, "systemCreatedStorageAccount": account}],
        "acrDetails": [{"userCreatedAcrAccount": None, "systemCreatedAcrAccount": registry}],
    }


def registry(
    resource_id: str,
    request: Mapping[str, Any],
    *,
    regions: Iterable[JsonObject],
    managed_group: str,
    api_host: str,
    identity: JsonObject,
) -> JsonObject:
    """
    The registry as GET shows it.

    Args:
        regions: Finished `regionDetails`.
        managed_group: Id of the managed resource group.
        api_host: Host of the primary region, for example westus2.api.azureml.ms.
    """
    name = resource_id.rsplit("/", 1)[-1]
    location = str(request["location"]).replace(" ", "").lower()
    asked: Mapping[str, Any] = request.get("properties") or {}
    settings = asked.get("managedResourceGroupSettings")
    return {
        "tags": dict(request.get("tags") or {}),
        "location": location,
        "identity": identity,
        "id": resource_id,
        "name": name,
        "type": TYPE,
        "properties": {
            "regionDetails": list(regions),
            "intellectualPropertyPublisher": asked.get("intellectualPropertyPublisher"),
            "publicNetworkAccess": asked.get("publicNetworkAccess") or "Enabled",
            "discoveryUrl": f"https://{api_host}/registrymanagement/v1.0/registries/{name}/discovery",
            "managedResourceGroup": {"resourceId": managed_group},
            "mlFlowRegistryUri": f"azureml://{api_host}/mlflow/v1.0{resource_id}",
            "privateEndpointConnections": [],
            "managedResourceGroupSettings": settings,
        },
        "systemData": None,
    }


def has_ids(detail: Mapping[str, Any]) -> bool:
    """Whether the region names its storage account and its container registry."""
    storage = (detail.get("storageAccountDetails") or [{}])[0].get("systemCreatedStorageAccount") or {}
    container = (detail.get("acrDetails") or [{}])[0].get("systemCreatedAcrAccount") or {}
    return all((each.get("armResourceId") or {}).get("resourceId") for each in (storage, container))


def _reference(resource_id: str | None) -> JsonObject | None:
    return None if resource_id is None else {"resourceId": resource_id}


def _tail(resource_id: str | None) -> str | None:
    return None if resource_id is None else resource_id.rsplit("/", 1)[-1]
