"""
What a machine learning registry owns, and how it comes into the world.

A managed resource group `azureml-rg-{registry}_{guid}`, in it one storage account per region and one Premium container
registry that is replicated to every region; all names are random and nothing a caller asks for changes them (recorded:
aso2512). The parts appear one after the other while the creation runs; `Estate.complete` makes whatever is missing, so
it also builds a finished registry at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.simulator.kernel import Kernel
from local.simulator.providers import container_registry_replications as replications
from local.simulator.providers.container_registry_bodies import TYPE as CONTAINER_REGISTRY
from local.simulator.providers.container_registry_bodies import new_registry
from local.simulator.providers.machine_learning_bodies import region_details
from local.simulator.providers.storage_bodies import TYPE as STORAGE
from local.simulator.providers.storage_bodies import new_account
from local.simulator.rbac import PLATFORM, DenyAssignment
from local.simulator.wire import JsonObject
from local.simulator.world import Resource

GROUP_AT, STORAGE_AT, CONTAINER_REGISTRY_AT, REPLICATED_AT = 0.1, 0.4, 0.6, 0.9
"""Shares of the creation's duration; the order is plausible, the moments are not recorded."""

_NAME_LENGTH = 11
_DENIED_BUT = (
    "*/read",
    "*/privateEndpointConnectionsApproval/action",
    "Microsoft.Insights/diagnosticSettings/*",
)
"""What community modules do to a managed group's resources from outside although they are not exempt."""


@dataclass(slots=True, kw_only=True)
class Estate:
    """A registry's managed group and what is in it: ids first, resources when they are made."""

    registry_id: str
    location: str
    group_id: str
    container_registry_id: str
    regions: dict[str, JsonObject]
    """What each region asks of its storage account, primary region first."""
    storage_ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def planned(cls, azure: Kernel, registry_id: str, location: str, regions: Mapping[str, JsonObject]) -> "Estate":
        """An estate with fresh random names; nothing is made yet."""
        _, subscription, *_ = registry_id.strip("/").split("/")
        name = registry_id.rsplit("/", 1)[-1]
        group = f"/subscriptions/{subscription}/resourceGroups/azureml-rg-{name}_{azure.world.guid()}"
        container_registry = f"{group}/providers/{CONTAINER_REGISTRY}/{_letter_first(azure)}"
        estate = cls(
            registry_id=registry_id,
            location=location,
            group_id=group,
            container_registry_id=container_registry,
            regions={},
        )
        estate.plan_regions(azure, regions)
        return estate

    @classmethod
    def of(cls, registry: Resource) -> "Estate":
        """The estate of an existing registry, read from its body."""
        properties = registry.properties
        details = {each["location"]: each for each in properties["regionDetails"]}
        systems = {
            region: each["storageAccountDetails"][0]["systemCreatedStorageAccount"] for region, each in details.items()
        }
        container_registry = properties["regionDetails"][0]["acrDetails"][0]["systemCreatedAcrAccount"]
        return cls(
            registry_id=registry.id,
            location=registry.location,
            group_id=properties["managedResourceGroup"]["resourceId"],
            container_registry_id=container_registry["armResourceId"]["resourceId"],
            regions=systems,
            storage_ids={region: each["armResourceId"]["resourceId"] for region, each in systems.items()},
        )

    def plan_regions(self, azure: Kernel, regions: Mapping[str, JsonObject]) -> None:
        """Give every region that has none a storage account's name."""
        for region, asked in regions.items():
            if region not in self.regions:
                self.regions[region] = asked
                name = azure.world.hex(_NAME_LENGTH)
                self.storage_ids[region] = f"{self.group_id}/providers/{STORAGE}/{name}"

    def details(self) -> list[JsonObject]:
        """Finished `regionDetails`; the one container registry repeats in every region."""
        return [
            region_details(region, asked, self.storage_ids[region], self.container_registry_id)
            for region, asked in self.regions.items()
        ]

    # -- making ------------------------------------------------------------------------------------------------------

    def make_group(self, azure: Kernel) -> None:
        if azure.world.get(self.group_id) is not None:
            return
        azure.world.put(
            {
                "id": self.group_id,
                "name": self.group_id.rsplit("/", 1)[-1],
                "type": "Microsoft.Resources/resourceGroups",
                "location": self.location,
                "managedBy": self.registry_id,
                "tags": {},
                "properties": {"provisioningState": "Succeeded"},
            }
        )
        azure.emit_platform(self.group_id, "Write", "Microsoft.Resources/subscriptions/resourceGroups/write")

    def make_storage(self, azure: Kernel, public_access: str) -> None:
        for region, asked in self.regions.items():
            storage_id = self.storage_ids[region]
            if azure.world.get(storage_id) is not None:
                continue
            request = {
                "location": region,
                "kind": "StorageV2",
                "sku": {"name": _sku(asked.get("storageAccountType"))},
                "properties": {
                    "isHnsEnabled": bool(asked.get("storageAccountHnsEnabled")),
                    "allowBlobPublicAccess": bool(asked.get("allowBlobPublicAccess")),
                    "publicNetworkAccess": _inherited(azure, public_access),
                },
            }
            azure.world.put(new_account(storage_id, request, suffix=azure.cloud.storage_suffix, now=azure.world.now))
            azure.emit_platform(storage_id, "Write", f"{STORAGE}/write")

    def make_container_registry(self, azure: Kernel, public_access: str) -> None:
        """The container registry in the primary region, and replications that are still being made."""
        registry = azure.world.get(self.container_registry_id)
        if registry is None:
            request = {
                "location": self.location,
                "sku": {"name": "Premium"},
                "properties": {"publicNetworkAccess": _inherited(azure, public_access)},
            }
            body = new_registry(
                self.container_registry_id,
                request,
                suffix=azure.cloud.registry_suffix,
                now=azure.world.now,
                system_data=_system_data(azure),
            )
            registry = azure.world.put(body)
            replications.add_home_replication(azure, registry)
            azure.emit_platform(registry.id, "Write", f"{CONTAINER_REGISTRY}/write")
        known = {each.location for each in replications.replications_of(azure, registry)}
        for region in self.regions:
            if region not in known:
                added = replications.add_replication(azure, registry, region)
                added.properties["provisioningState"] = "Creating"
                azure.emit_platform(added.id, "Write", f"{CONTAINER_REGISTRY}/replications/write")

    def finish_replications(self, azure: Kernel) -> None:
        registry = azure.world.get(self.container_registry_id)
        for each in replications.replications_of(azure, registry) if registry is not None else ():
            if each.properties["provisioningState"] == "Creating":
                replications.ready(azure, each.id)

    def complete(self, azure: Kernel, public_access: str) -> None:
        """Everything that is not there yet."""
        self.make_group(azure)
        self.make_storage(azure, public_access)
        self.make_container_registry(azure, public_access)
        self.finish_replications(azure)

    def schedule(self, azure: Kernel, public_access: str, seconds: float) -> None:
        """Let the parts appear one after the other within *seconds*."""
        later = azure.world.later
        later(seconds * GROUP_AT, lambda _at: self.make_group(azure))
        later(seconds * STORAGE_AT, lambda _at: self._if_wanted(azure, lambda: self.make_storage(azure, public_access)))
        later(
            seconds * CONTAINER_REGISTRY_AT,
            lambda _at: self._if_wanted(azure, lambda: self.make_container_registry(azure, public_access)),
        )
        later(seconds * REPLICATED_AT, lambda _at: self.finish_replications(azure))

    def _if_wanted(self, azure: Kernel, make: Callable[[], None]) -> None:
        """Nothing is made in a group that was deleted meanwhile."""
        if azure.world.get(self.group_id) is not None:
            make()

    # -- afterwards --------------------------------------------------------------------------------------------------

    def set_public_access(self, azure: Kernel, value: str) -> None:
        """The platform gives the registry's value to its storage accounts and container registry."""
        for resource_id in (*self.storage_ids.values(), self.container_registry_id):
            resource = azure.world.get(resource_id)
            if resource is None or resource.properties.get("publicNetworkAccess", "Enabled") == value:
                continue
            resource.properties["publicNetworkAccess"] = value
            azure.world.touch(resource)
            azure.emit_platform(resource.id, "Write", f"{resource.type}/write", existed=True)

    def deny(self, azure: Kernel, settings: Mapping[str, Any] | None) -> None:
        """Put or renew the deny assignment; `assignedIdentities` are exempt from it (reported by community modules)."""
        if not azure.options.deny_managed_groups:
            return
        exempt = tuple(str(each["principalId"]) for each in (settings or {}).get("assignedIdentities") or ())
        scope = self.group_id
        azure.rbac.lift(scope)
        name = self.registry_id.rsplit("/", 1)[-1]
        assignment_id = f"{scope}/providers/Microsoft.Authorization/denyAssignments/{azure.world.guid()}"
        azure.rbac.deny(
            DenyAssignment(
                id=assignment_id,
                name=f"Deny assignment created by Azure Machine Learning registry {name}",
                scope=scope,
                actions=("*",),
                not_actions=_DENIED_BUT,
                exempt=(PLATFORM, *exempt),
            )
        )

    def remove(self, azure: Kernel) -> None:
        """The managed group goes, with all that is in it."""
        group = azure.world.get(self.group_id)
        if group is None:
            return
        azure.rbac.lift(self.group_id)
        for each in azure.world.delete(self.group_id):
            if each.type in {STORAGE, CONTAINER_REGISTRY}:
                azure.emit_platform(each.id, "Delete", f"{each.type}/delete", existed=True)
        azure.emit_platform(
            self.group_id, "Delete", "Microsoft.Resources/subscriptions/resourceGroups/delete", existed=True
        )


def _inherited(azure: Kernel, public_access: str) -> str | None:
    """A registry that is born closed closes its parts, where closing propagates at all."""
    return public_access if public_access == "Disabled" and azure.options.public_access_propagates else None


def _letter_first(azure: Kernel) -> str:
    """Eleven hexadecimal digits; a container registry's name begins with a letter (recorded: a0bc98aaeab)."""
    name = azure.world.hex(_NAME_LENGTH)
    return f"{'abcdef'[int(name[0], 16) % 6]}{name[1:]}"


def _sku(asked: object) -> str:
    """`standard_lrs`, as the client library writes it, names the same redundancy as `Standard_LRS`."""
    tier, _, kind = str(asked or "Standard_LRS").partition("_")
    return f"{tier.capitalize()}_{kind.upper()}"


def _system_data(azure: Kernel) -> JsonObject:
    now = f"{azure.world.now:%Y-%m-%dT%H:%M:%S}.{azure.world.now.microsecond:06d}1+00:00"
    return {
        "createdBy": PLATFORM,
        "createdByType": "Application",
        "createdAt": now,
        "lastModifiedBy": PLATFORM,
        "lastModifiedByType": "Application",
        "lastModifiedAt": now,
    }
