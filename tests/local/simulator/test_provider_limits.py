"""What providers refuse by themselves, when the published limits are enforced."""

from datetime import UTC, datetime, timedelta

import pytest

from local.simulator.azure import SimulatedAzure
from local.simulator.errors import ArmError
from local.simulator.options import Options
from local.simulator.provider_limits import LIST, READ, WRITE, ProviderLimits
from tests.local.simulator.arm_client import ArmClient

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ENDPOINTS, ZONES = "Microsoft.Network/privateEndpoints", "Microsoft.Network/privateDnsZones/A"
STORAGE = "Microsoft.Storage/storageAccounts"


@pytest.mark.parametrize(
    ("kind_of_resource", "kind", "count"),
    [(ENDPOINTS, WRITE, 1000), (ZONES, READ, 500), (STORAGE, LIST, 100), (STORAGE, READ, 800), (STORAGE, WRITE, 10)],
)
def test_as_many_calls_as_published_pass_and_the_next_is_refused(kind_of_resource: str, kind: str, count: int) -> None:
    limits = ProviderLimits()
    for _ in range(count):
        limits.take("sub", kind_of_resource, kind, NOW)

    with pytest.raises(ArmError) as refusal:
        limits.take("sub", kind_of_resource, kind, NOW)

    assert refusal.value.status == 429
    wait = int(refusal.value.headers["Retry-After"])
    limits.take("sub", kind_of_resource, kind, NOW + timedelta(seconds=wait))


def test_zones_do_not_count_as_network_and_subscriptions_not_as_one() -> None:
    limits = ProviderLimits()
    for _ in range(1000):
        limits.take("sub", ENDPOINTS, WRITE, NOW)

    limits.take("sub", ZONES, WRITE, NOW)
    limits.take("other", ENDPOINTS, WRITE, NOW)
    with pytest.raises(ArmError, match="network writes"):
        limits.take("sub", ENDPOINTS, WRITE, NOW)


def test_a_call_meets_its_providers_limit_at_the_door() -> None:
    arm = ArmClient(SimulatedAzure(options=Options(throttling=True)))
    group = f"/subscriptions/{next(iter(arm.azure.subscriptions.values()))}/resourceGroups/rg"
    arm.put(group, {"location": "westeurope"})
    path = f"{group}/providers/Microsoft.Storage/storageAccounts"

    answers = [arm.get(path).status for _ in range(101)]

    assert answers == [200] * 100 + [429]
