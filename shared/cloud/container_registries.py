"""Container registries, as far as closing them goes: only Premium ones have private endpoints and a closed door."""

from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient

from shared.cloud.arm_client import ArmClient, begin, body_of, found, pages
from shared.cloud.documents import Document, access, connections, entries, member, resource_id, text
from shared.cloud.operations import accepted, is_good
from shared.core.arm import ResourceId
from shared.core.errors import ChangedUnderneath, UnsupportedSku
from shared.core.registry import Access, Target, TargetKind
from shared.core.report import Done, Started

_UPDATE = "update container registry"
_PREMIUM = "premium"
# `networkRuleSet` and the bypass are never written by the app; a snapshot holds them so that undo can restore the
# registry (opening it again leaves the rule set's default action at Deny, recorded).
_SETTINGS = ("publicNetworkAccess", "networkRuleSet", "networkRuleBypassOptions")


class ContainerRegistries:
    """Container registries of one cloud."""

    def __init__(self, arm: ArmClient) -> None:
        self._arm = arm

    async def read(self, registry: ResourceId) -> Target | None:
        """GET the registry."""
        document: Document | None = await found(
            self._client(registry).registries.get(registry.resource_group, registry.name, cls=body_of),
            operation="read container registry",
            resource=registry.text,
        )
        return None if document is None else target_of(document, registry)

    async def close(self, registry: ResourceId) -> Started | Done:
        """
        Disable public network access and touch nothing else.

        Raises:
            UnsupportedSku: The registry is not Premium; Azure would refuse the call.
        """
        target = await self.read(registry)
        if target is None:
            raise ChangedUnderneath(
                f"Container registry {registry.name} is not there any more.",
                resource_id=registry.text,
                operation=_UPDATE,
            )
        if target.access is Access.CLOSED:
            return Done()
        if target.sku.lower() != _PREMIUM:
            raise UnsupportedSku(
                f"Container registry {registry.name} has the {target.sku or 'unknown'} tier; public access can only be "
                f"disabled in the Premium tier. Run: az acr update --name {registry.name} --sku Premium",
                resource_id=registry.text,
                operation=_UPDATE,
            )
        client = self._client(registry)
        answer = await begin(
            lambda hook: client.registries.begin_update(
                registry.resource_group,
                registry.name,
                {"properties": {"publicNetworkAccess": "Disabled"}},
                polling=False,
                raw_response_hook=hook,
            ),
            operation=_UPDATE,
            resource=registry.text,
        )
        return accepted(answer)

    async def pending_replications(self, registry: ResourceId) -> tuple[str, ...]:
        """Regions whose replication is not Succeeded."""
        listed: list[Document] | None = await pages(
            self._client(registry).replications.list(registry.resource_group, registry.name),
            operation="list container registry replications",
            resource=registry.text,
        )
        return tuple(
            text(entry, "location")
            for entry in listed or ()
            if not is_good(text(entry, "properties", "provisioningState"))
        )

    def _client(self, registry: ResourceId) -> ContainerRegistryManagementClient:
        return self._arm.service(ContainerRegistryManagementClient, registry.subscription)


def target_of(document: Document, registry: ResourceId) -> Target:
    """Read a registry's GET."""
    return Target(
        kind=TargetKind.ACR,
        id=resource_id(document, "id") or registry,
        location=text(document, "location"),
        access=access(document),
        provisioning=text(document, "properties", "provisioningState"),
        sku=text(document, "sku", "name"),
        connections=connections(entries(document, "properties", "privateEndpointConnections")),
        network_settings={
            name: member(document, "properties", name)
            for name in _SETTINGS
            if member(document, "properties", name) is not None
        },
    )
