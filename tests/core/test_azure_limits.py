"""Which limits of Azure a call counts towards."""

import pytest

from shared.core.azure_limits import buckets_of

SUB = "/subscriptions/11111111-2222-4333-8444-555555555555"
NETWORK = f"{SUB}/resourceGroups/rg/providers/Microsoft.Network"
STORAGE = f"{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts"


@pytest.mark.parametrize(
    ("method", "path", "names"),
    [
        ("GET", f"{NETWORK}/privateEndpoints/pe", ["Resource Manager reads", "network reads"]),
        ("PUT", f"{NETWORK}/privateEndpoints/pe", ["Resource Manager writes", "network writes"]),
        ("DELETE", f"{NETWORK}/privateEndpoints/pe", ["Resource Manager deletions", "network writes"]),
        ("GET", f"{NETWORK}/privateDnsZones/z/A", ["Resource Manager reads", "Private DNS reads"]),
        ("GET", f"{NETWORK}/PRIVATEDNSZONES/z/A/name", ["Resource Manager reads", "Private DNS reads"]),
        (
            "PUT",
            f"{NETWORK}/privateDnsZones/z/virtualNetworkLinks/l",
            ["Resource Manager writes", "microsoft.network writes"],
        ),
        ("GET", f"{STORAGE}/a", ["Resource Manager reads", "storage reads"]),
        ("GET", STORAGE, ["Resource Manager reads", "storage lists"]),
        ("GET", f"{SUB}/resourceGroups", ["Resource Manager reads", "microsoft.resources reads"]),
        ("GET", "/providers/Microsoft.ResourceGraph/resources", []),
        ("GET", "/", []),
    ],
)
def test_a_call_counts_towards_resource_manager_and_one_limit_of_its_provider(
    method: str, path: str, names: list[str]
) -> None:
    found = buckets_of(method, f"https://management.azure.com{path}?api-version=2024-01-01")

    assert [each.limit.name for each in found] == names


def test_two_spellings_of_a_subscription_share_their_buckets() -> None:
    one, other = (
        buckets_of("GET", f"https://management.azure.com/subscriptions/{name}/resourceGroups/g")
        for name in ("AB", "ab")
    )

    assert one == other
