"""How endpoints learn what happens to their targets, and what goes with a resource that leaves the world."""

from local.simulator import arm_ids
from local.simulator.kernel import Kernel
from local.simulator.providers import endpoint_connections as wanted
from local.simulator.providers import endpoint_interfaces as interfaces
from local.simulator.providers import network_answers, zone_groups
from local.simulator.world import Resource


class EndpointLinks:
    """Implements `private_link.Links`; knows which endpoints lead to which target."""

    def __init__(self, azure: Kernel) -> None:
        self._azure = azure
        self._endpoints: dict[str, dict[str, None]] = {}

    def watch(self, endpoint: Resource) -> None:
        """Follow the targets of a new endpoint."""
        for target_id, _ in wanted.pairs_of(endpoint):
            self._endpoints.setdefault(target_id.lower(), {})[endpoint.key] = None

    def leading_to(self, target_id: str) -> list[Resource]:
        """The endpoints of a target, oldest first."""
        keys = list(self._endpoints.get(target_id.lower(), ()))
        return [found for key in keys if (found := self._azure.world.get(key)) is not None]

    def state_changed(self, target_id: str, endpoint_id: str, status: str, description: str) -> None:
        """The connection on the target was set to *status*; an approval makes the endpoint's names appear."""
        endpoint = self._azure.world.get(endpoint_id)
        if endpoint is None:
            return
        for each in wanted.connections(endpoint):
            if str(each["properties"]["privateLinkServiceId"]).lower() == target_id.lower():
                state = each["properties"]["privateLinkServiceConnectionState"]
                state |= {"status": status, "description": description}
        network_answers.stamp(self._azure, endpoint.body, str(endpoint.properties["provisioningState"]), parts=False)
        if status == "Approved":
            interfaces.align(self._azure, endpoint, wanted.addresses(self._azure, wanted.pairs_of(endpoint)))
            zone_groups.refresh(self._azure, endpoint)

    def members_changed(self, target_id: str) -> None:
        """
        The target's members differ now: every endpoint gets or loses addresses and records.

        Raises:
            ArmError: 400 SubnetIsFull when one subnet has no room; no endpoint has been changed then.
        """
        plans = [(each, wanted.addresses(self._azure, wanted.pairs_of(each))) for each in self.leading_to(target_id)]
        needed: dict[str, int] = {}
        for endpoint, members in plans:
            subnet_id = str(endpoint.properties["subnet"]["id"])
            needed[subnet_id] = needed.get(subnet_id, 0) + interfaces.missing(self._azure, endpoint, members)
        for subnet_id, count in needed.items():
            interfaces.demand_room(self._azure, subnet_id, count)
        for endpoint, members in plans:
            interfaces.align(self._azure, endpoint, members)
            zone_groups.refresh(self._azure, endpoint)

    def removed(self, resource: Resource) -> None:
        """A resource has left the world: endpoints clean up after themselves and lose connections to lost targets."""
        match resource.type.lower():
            case "microsoft.network/privateendpoints":
                self._endpoint_removed(resource)
            case "microsoft.network/networkinterfaces":
                interfaces.released(self._azure, resource)
            case "microsoft.network/privateendpoints/privatednszonegroups":
                self._zone_group_removed(resource)
            case _:
                for endpoint in self.leading_to(resource.key):
                    self.state_changed(resource.id, endpoint.id, "Disconnected", "Deleted state")
                self._endpoints.pop(resource.key, None)

    def _endpoint_removed(self, endpoint: Resource) -> None:
        for nic in endpoint.properties["networkInterfaces"]:
            self._azure.world.delete(nic["id"])
        for target_id, _ in wanted.pairs_of(endpoint):
            self._endpoints.get(target_id.lower(), {}).pop(endpoint.key, None)
            target = self._azure.world.get(target_id)
            known = self._azure.link_targets.get(arm_ids.parse(target_id).type.lower())
            if target is not None and known is not None:
                known.disconnect(self._azure, target, endpoint.id)

    def _zone_group_removed(self, group: Resource) -> None:
        zone_groups.removed(self._azure, group)
        endpoint = self._azure.world.get(arm_ids.parse(group.id).parent)
        if endpoint is not None:
            zone_groups.show_names(self._azure, endpoint)
