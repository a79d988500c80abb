"""One network, one storage account, one zone: the scene in which private endpoints are tested."""

from typing import Any

from local.simulator.azure import SimulatedAzure
from local.simulator.options import Options
from local.simulator.wire import Response
from tests.local.simulator.arm_client import ArmClient

BLOB_ZONE = "privatelink.blob.core.windows.net"


class Scene(ArmClient):
    """Everything stands and nothing is under way."""

    def __init__(self, options: Options | None = None, *, prefix: str = "10.0.1.0/24", **subnet: Any) -> None:
        super().__init__(SimulatedAzure(seed=5, options=options), version="2024-05-01")
        self.rg = self.group("rg-net")
        self.network = f"{self.rg}/providers/Microsoft.Network"
        self.vnet = f"{self.network}/virtualNetworks/vn"
        self.subnet = f"{self.vnet}/subnets/pe"
        self.zone = f"{self.network}/privateDnsZones/{BLOB_ZONE}"
        self.account = f"{self.rg}/providers/Microsoft.Storage/storageAccounts/contoso"
        subnets = [{"name": "pe", "properties": {"addressPrefix": prefix, **subnet}}]
        space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": subnets}
        assert self.put(self.vnet, {"location": "westeurope", "properties": space}).status == 201
        self.storage("contoso")
        assert self.put(self.zone, {"location": "global"}).status == 202
        self.rest()

    def storage(self, name: str) -> str:
        path = f"{self.rg}/providers/Microsoft.Storage/storageAccounts/{name}"
        body = {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2", "properties": {}}
        assert self.put(path, body, version="2023-05-01").status == 202
        return path

    def endpoint_body(self, target: str = "", *, manual: bool = False, **properties: Any) -> dict[str, Any]:
        connection = {
            "name": "link",
            "properties": {"privateLinkServiceId": target or self.account, "groupIds": ["blob"]},
        }
        member = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
        return {
            "location": "westeurope",
            "properties": {"subnet": {"id": self.subnet}, member: [connection], **properties},
        }

    def endpoint(self, name: str = "pe", target: str = "", *, manual: bool = False, **properties: Any) -> Response:
        path = f"{self.network}/privateEndpoints/{name}"
        return self.put(path, self.endpoint_body(target, manual=manual, **properties))

    def endpoint_now(self, name: str = "pe") -> dict[str, Any]:
        body: dict[str, Any] = self.get(f"{self.network}/privateEndpoints/{name}").json()
        return body

    def connection_now(self, name: str = "pe") -> dict[str, Any]:
        properties = self.endpoint_now(name)["properties"]
        found = properties["privateLinkServiceConnections"] + properties["manualPrivateLinkServiceConnections"]
        state: dict[str, Any] = found[0]["properties"]["privateLinkServiceConnectionState"]
        return state

    def zone_group(self, name: str = "pe", zone: str = "") -> Response:
        config = {"name": "zone", "properties": {"privateDnsZoneId": zone or self.zone}}
        path = f"{self.network}/privateEndpoints/{name}/privateDnsZoneGroups/default"
        return self.put(path, {"properties": {"privateDnsZoneConfigs": [config]}})

    def records(self, zone: str = "") -> dict[str, list[str]]:
        """Names and addresses in a zone."""
        rows = self.get(f"{zone or self.zone}/A").json()["value"]
        return {each["name"]: [one["ipv4Address"] for one in each["properties"]["aRecords"]] for each in rows}
