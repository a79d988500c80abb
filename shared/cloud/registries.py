"""
Azure ML registries, over raw Resource Manager calls.

No typed client serves: the generally available one does not know registries, and the preview one takes the service's
202 for an error. A registry has no provisioningState; closing it is a full PUT, because PATCH takes only tags, identity
and sku.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from shared.cloud.api_versions import ApiVersions, is_unsupported
from shared.cloud.arm_client import ArmClient
from shared.cloud.documents import (
    Document,
    access,
    connections,
    entries,
    member,
    resource_id,
    tags,
    text,
    zones_by_group,
)
from shared.cloud.operations import accepted
from shared.core.arm import ResourceId
from shared.core.errors import NotReadyYet, RegistryIsolationError
from shared.core.registry import Access, RegistryDocument, RegistryRegion, Target, TargetKind
from shared.core.report import Done, Started

_READ = "read machine learning registry"
_CLOSE = "update machine learning registry"


class Registries:
    """
    Registries of one cloud.

    Args:
        api_version: Wanted; another one is used where it is not deployed.
    """

    def __init__(self, arm: ArmClient, api_version: str) -> None:
        self._arm = arm
        self._versions = ApiVersions(api_version)

    async def read(self, registry: ResourceId) -> RegistryDocument | None:
        """GET the registry."""
        document = await self._get(registry)
        return None if document is None else document_of(document, registry)

    async def link_resources(self, registry: ResourceId) -> dict[str, tuple[str, ...]]:
        """Group id to required zone names."""

        async def listed(version: str) -> Document:
            url = self._arm.url(f"{registry.text}/privateLinkResources", version)
            return await self._arm.read(url, operation="list private link resources", resource=registry.text)

        document = await self._with_version(lambda: self._versions.reading, listed)
        return zones_by_group(entries(document, "value"))

    async def close(self, registry: ResourceId) -> Started | Done:
        """Disable public network access; see `set_access`."""
        return await self.set_access(registry, "Disabled")

    async def set_access(self, registry: ResourceId, access: str) -> Started | Done:
        """
        Set `publicNetworkAccess` with a full PUT of what is there now.

        Raises:
            NotReadyYet: Azure is still making the registry; a PUT now could lose the regions it does not show yet.
        """

        async def read_and_put(version: str) -> Started | Done:
            return await self._set_with(registry, access, version)

        return await self._with_version(lambda: self._versions.writing, read_and_put)

    async def _set_with(self, registry: ResourceId, value: str, version: str) -> Started | Done:
        url = self._arm.url(registry.text, version)
        document = await self._arm.read(url, operation=_READ, resource=registry.text)
        parsed = document_of(document, registry)
        if (parsed.target.access is Access.OPEN) is (value.lower() == "enabled"):
            return Done()
        if not parsed.complete:
            raise NotReadyYet(
                f"Registry {registry.name} does not show the storage and container registry of every region yet; "
                "it is written once it does.",
                resource_id=registry.text,
                operation=_CLOSE,
            )
        body = closed_body(document, value)
        answer = await self._arm.send("PUT", url, operation=_CLOSE, resource=registry.text, body=body)
        return accepted(answer)

    async def _get(self, registry: ResourceId) -> Document | None:
        async def read(version: str) -> Document | None:
            return await self._arm.get(registry.text, version, operation=_READ)

        return await self._with_version(lambda: self._versions.reading, read)

    async def _with_version[Result](
        self, current: Callable[[], str], call: Callable[[str], Awaitable[Result]]
    ) -> Result:
        """Make *call*, once more with another api-version if the current one is not deployed."""
        version = current()
        try:
            return await call(version)
        except RegistryIsolationError as error:
            if not is_unsupported(error.code) or not self._versions.learn(version, str(error.__cause__)):
                raise
        return await call(current())


def document_of(document: Document, registry: ResourceId) -> RegistryDocument:
    """Read a registry's GET; its id is the one that was asked for where the answer has none."""
    regions = tuple(_region(entry) for entry in entries(document, "properties", "regionDetails"))
    listed = entries(document, "properties", "registryPrivateEndpointConnections") or entries(
        document, "properties", "privateEndpointConnections"
    )
    target = Target(
        kind=TargetKind.REGISTRY,
        id=resource_id(document, "id") or registry,
        location=text(document, "location"),
        access=access(document),
        connections=connections(listed),
        network_settings={"publicNetworkAccess": member(document, "properties", "publicNetworkAccess")},
    )
    return RegistryDocument(
        target=target,
        managed_group=resource_id(document, "properties", "managedResourceGroup", "resourceId"),
        regions=tuple(region for region, _complete in regions),
        complete=bool(regions) and all(complete for _region, complete in regions),
        tags=tags(document),
        tenant=text(document, "identity", "tenantId"),
        discovery_url=text(document, "properties", "discoveryUrl"),
    )


def _region(entry: Document) -> tuple[RegistryRegion, bool]:
    storage, storage_complete = _resources(entry, "storageAccountDetails", "StorageAccount")
    acr, acr_complete = _resources(entry, "acrDetails", "AcrAccount")
    region = RegistryRegion(location=text(entry, "location"), storage_accounts=storage, container_registries=acr)
    return region, storage_complete and acr_complete


def _resources(entry: Document, details: str, kind: str) -> tuple[tuple[ResourceId, ...], bool]:
    """Ids of system-created and user-created resources, and whether every entry names one."""
    found = [
        resource_id(detail, f"systemCreated{kind}", "armResourceId", "resourceId")
        or resource_id(detail, f"userCreated{kind}", "armResourceId", "resourceId")
        for detail in entries(entry, details)
    ]
    return tuple(identifier for identifier in found if identifier), bool(found) and all(found)


def closed_body(document: Document, access: str = "Disabled") -> dict[str, Any]:
    """
    The PUT that closes the registry (or gives it another *access*): everything as read, except nulls.

    The service serialises nulls that it does not accept back (comments in Azure's own machine learning SDK).
    """
    body: dict[str, Any] = _without_nulls(document)
    identities = member(document, "identity", "userAssignedIdentities")
    if isinstance(identities, dict):
        # A user-assigned identity is its key: an empty value must not make it disappear from the registry.
        body["identity"]["userAssignedIdentities"] = {
            identity: _without_nulls(value) or {} for identity, value in identities.items()
        }
    body["properties"]["publicNetworkAccess"] = access
    return body


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [_without_nulls(inner) for inner in value]
    return value
