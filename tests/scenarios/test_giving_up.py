"""Repairs end: in success, or with a person, who can have them tried again."""

from datetime import datetime
from typing import Any

from local.simulator.azure import SimulatedAzure
from local.simulator.faults import Fault, FaultKind
from local.simulator.wire import Request, Response
from tests.scenarios.house import House
from tests.scenarios.test_isolation import create, tell
from tests.scenarios.test_refusals import blocked, stays_quiet, still_open
from tests.scenarios.verdict import unisolated


class QuarrelsomeAzure(SimulatedAzure):
    """An Azure in which a policy points every zone group at zones of its own, as often as anybody writes one."""

    def handle(self, request: Request, now: datetime) -> Response:
        if request.method == "GET" and "/privateDnsZoneGroups" in request.path:
            for group in self.world.of_type("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
                for config in group.properties["privateDnsZoneConfigs"]:
                    config["properties"]["privateDnsZoneId"] = self._elsewhere(config)
        if request.method == "GET" and "/A" in request.path and "/privateDnsZones/" in request.path:
            for record in list(self.world.of_type("Microsoft.Network/privateDnsZones/A")):
                self.world.delete(record.id)
        return super().handle(request, now)

    @staticmethod
    def _elsewhere(config: Any) -> str:
        return str(config["properties"]["privateDnsZoneId"]).replace("/rg-dns/", "/rg-policy/")


def test_what_was_given_up_is_tried_again_when_somebody_asks_after_the_block() -> None:
    async def story() -> None:
        async with House() as house:
            failing = Fault(
                kind=FaultKind.FAIL_OPERATION,
                method="PUT",
                path="privateEndpoints/pe-contoso-acr-[^/]+$",
                times=10_000,
                code="InternalServerError",
                message="An error occurred.",
            )
            house.azure.faults.add(failing)
            registry = await create(house)
            await blocked(house, registry)
            house.azure.faults.clear()

            await house.ask(registry)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []

    tell(story())


def test_a_zone_group_that_somebody_keeps_replacing_is_not_fought_over_for_ever() -> None:
    async def story() -> None:
        async with House(azure_type=QuarrelsomeAzure) as house:
            registry = await create(house)

            said = await blocked(house, registry)

            assert "ZoneGroupContested" in said
            assert "Azure Policy" in said
            assert still_open(house, registry)
            assert len([call for call in house.writes() if "privateDnsZoneGroups" in call.url]) < 20
            await stays_quiet(house)

    tell(story())
