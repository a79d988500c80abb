"""Before a registry is closed, the app asks once where its data plane answers; nothing depends on the answer."""

from collections.abc import Coroutine, Mapping
from typing import Any

import pytest

from local.simulator.faults import Fault, FaultKind
from shared.core.errors import Refused
from tests.scenarios.house import APP, House, as_id
from tests.scenarios.test_isolation import create
from tests.scenarios.verdict import unisolated
from tests.virtual_time import run_virtual


def tell(story: Coroutine[Any, Any, None]) -> None:
    run_virtual(story)


async def fqdns(house: House, registry: str) -> Mapping[str, str]:
    row = await house.row(registry)
    assert row is not None
    assert row.report is not None
    return row.report.fqdns


def asked(house: House) -> list[Any]:
    return [call for call in house.azure.log if call.url.split("?")[0].endswith("/discovery")]


def test_the_report_keeps_the_names_of_every_region_and_they_are_asked_for_once_before_the_lockdown() -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house, regions=("westeurope", "northeurope"))

            assert await house.settle(registry) == "converged"
            names = await fqdns(house, registry)
            assert sorted(names) == ["northeurope", "westeurope"]
            assert all(name.endswith("api.azureml.ms") for name in names.values())
            (question,) = asked(house)
            (closing,) = [c for c in house.writes() if c.principal == APP and c.url.lower().startswith(_url(registry))]
            assert question.at <= closing.at
            await house.ask(registry)
            await house.settle(registry)
            assert len(asked(house)) == 1
            assert await fqdns(house, registry) == names

    tell(story())


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=FaultKind.RESPOND, path="/discovery", times=100, status=403, code="Forbidden"),
        Fault(kind=FaultKind.RESPOND, path="/discovery", times=100, status=503, code="ServerBusy"),
        Fault(kind=FaultKind.RESET, path="/discovery", times=100),
        Fault(kind=FaultKind.SLOW, path="/discovery", times=100, seconds=3600.0),
    ],
    ids=lambda fault: f"{fault.kind.value} {fault.status}",
)
def test_a_discovery_service_that_does_not_answer_holds_nothing_back(fault: Fault) -> None:
    async def story() -> None:
        async with House() as house:
            house.azure.faults.add(fault)
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert unisolated(house.azure, registry) == []
            assert await fqdns(house, registry) == {}
            assert len(asked(house)) <= 1

    tell(story())


@pytest.mark.parametrize(
    "url", ["https://westeurope.api.azureml.ms.example.net/discovery", "http://westeurope.api.azureml.ms/discovery"]
)
def test_a_discovery_address_outside_the_cloud_is_never_called(url: str) -> None:
    async def story() -> None:
        async with House() as house:
            registry = await create(house)

            with pytest.raises(Refused, match="not a host of the configured cloud"):
                await house.plane.discover(as_id(registry), url)
            assert asked(house) == []

    tell(story())


def test_a_registry_that_is_not_to_be_closed_is_not_asked_about() -> None:
    async def story() -> None:
        house = House()
        house.document["lockdown"] = {"when": "never"}
        async with house:
            registry = await create(house)

            assert await house.settle(registry) == "converged"
            assert asked(house) == []

    tell(story())


def _url(resource: str) -> str:
    return f"https://management.azure.com{resource}?".lower()
