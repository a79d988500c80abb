"""What is measured of a request: few words of closed sets, whatever the address holds."""

import re
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from azure.core.exceptions import ServiceRequestError
from hypothesis import given
from hypothesis import strategies as st

from shared.cloud.arm_telemetry import activity_id, provider_of
from shared.core.errors import RegistryIsolationError
from shared.engine.chain import within
from shared.engine.metrics import Metric
from shared.engine.telemetry import Silence, listening
from tests.cloud.answering import Reply, arm_client
from tests.cloud.test_arm_client import always, raising, read_endpoint
from tests.recorded import Recorded

GROUP = "https://management.azure.com/subscriptions/s/resourceGroups/rg"


@pytest.mark.parametrize(
    ("url", "provider"),
    [
        (f"{GROUP}?api-version=2025-01-01", "Microsoft.Resources"),
        (f"{GROUP}/providers/Microsoft.Network/privateEndpoints/pe?x=1", "Microsoft.Network"),
        (f"{GROUP}/providers/microsoft.network/virtualNetworks/v/subnets/s", "Microsoft.Network"),
        (
            f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a/providers/Microsoft.Authorization/x",
            "Microsoft.Authorization",
        ),
        (f"{GROUP}/providers/Microsoft.Evil/things/x", "other"),
        (f"{GROUP}/providers/Contoso.Thing/x", "Microsoft.Resources"),
        (f"{GROUP}/x?next=/providers/Microsoft.Storage/", "Microsoft.Resources"),
    ],
)
def test_a_request_is_its_last_providers(url: str, provider: str) -> None:
    assert provider_of(url) == provider


@given(st.text(max_size=80))
def test_no_address_makes_a_new_word(text: str) -> None:
    known = "Authorization|ContainerRegistry|MachineLearningServices|Network|ResourceGraph|Resources|Storage"

    assert re.fullmatch(rf"other|Microsoft\.({known})", provider_of(f"https://h/providers/Microsoft.{text}"))


@pytest.mark.parametrize(
    ("status", "failed", "throttled"), [(200, False, False), (404, False, False), (429, True, True), (403, True, False)]
)
async def test_an_answer_is_a_span_and_a_number_of_its_class(status: int, *, failed: bool, throttled: bool) -> None:
    recorded = Recorded()
    with listening(recorded.telemetry), suppress(RegistryIsolationError):
        await read_endpoint(arm_client(always(Reply(status, {}))))

    (span,) = recorded.spans
    numbers = recorded.metrics()
    ((series, count),) = numbers["isolation.arm.requests"].items()
    assert (span.name, span.status.is_ok) == ("GET Microsoft.Network", not failed)
    assert (dict(series), count) == (
        {"provider": "Microsoft.Network", "status": f"{status // 100}xx", "verb": "GET"},
        1,
    )
    assert ("isolation.arm.throttles" in numbers) == throttled
    assert numbers["isolation.arm.duration"] == {(("provider", "Microsoft.Network"), ("verb", "GET")): 1}


class Told(Silence):
    """Keeps what is measured."""

    def __init__(self) -> None:
        self.values: list[tuple[str, float]] = []

    def measure(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        assert attributes.keys() == set(metric.attributes)
        self.values.append((metric.name, value))


async def test_a_duration_is_in_seconds_and_a_request_without_an_answer_has_one_too() -> None:
    answered, unanswered = Told(), Told()
    begun = time.perf_counter()
    with listening(answered):
        await read_endpoint(arm_client(always(Reply(200, {}))))
    with listening(unanswered), suppress(RegistryIsolationError):
        await read_endpoint(arm_client(raising(ServiceRequestError("No route."))))
    most = time.perf_counter() - begun

    for told in (answered, unanswered):
        values = dict(told.values)
        assert values["isolation.arm.requests"] == 1
        assert 0 < values["isolation.arm.duration"] < most


@pytest.mark.parametrize("correlation", ["", "20260105T120700Z-1a2b3c4d", "x" * 32, "A" * 32, 5])
def test_only_a_chains_own_id_is_shown_to_azure(correlation: str | int) -> None:
    with within(correlation=correlation):
        assert activity_id() == ""
