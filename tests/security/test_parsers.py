"""No input makes a parser fail in a way that it does not promise: bounded, and the same inputs everywhere."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.fuzz.parsers import PARSERS

ID = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/"
WORDS = (
    "Microsoft.Resources.ResourceWriteSuccess", "1.0", "Failed", "Approved", "17", "Wed, 21 Oct 2026 07:28:00 GMT",
    f"{ID}Microsoft.MachineLearningServices/registries/alpha", f"{ID}Microsoft.Storage/storageAccounts/a",
    f"{ID}Microsoft.Network/privateEndpoints/pe", "11111111-2222-4333-8444-555555555555", "' or 1 eq 1", "../..",
    "a\r\nSet-Cookie: x", "{{7*7}}", "<script>", "=cmd|' /C calc'!A0", "\u202e", "\ud800", "9" * 5000, "{", "",
)  # fmt: skip
KEYS = (
    "id", "eventType", "type", "specversion", "subject", "data", "claims", "authorization", "evidence", "principalId",
    "resourceUri", "resourceInfo", "error", "code", "message", "details", "innererror", "additionalInfo", "info",
    "properties", "regionDetails", "storageAccountDetails", "systemCreatedStorageAccount", "armResourceId",
    "resourceId", "networkAcls", "resourceAccessRules", "tenantId", "privateLinkServiceConnections", "subnet",
    "privateLinkServiceConnectionState", "groupIds", "status", "managedResourceGroup", "identity", "tags", "version",
    "registry", "generation", "attempt", "mode", "scope", "networks", "rows", "held", "publicNetworkAccess",
    "configurations", "ipConfigurations", "privateDnsZoneConfigs", "recordSets", "aRecords", "securityRules",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


INPUTS = (
    DOCUMENTS.map(encoded)
    | VALUES.map(encoded)
    | st.sampled_from(WORDS).map(lambda word: word.encode(errors="surrogatepass"))
    | st.text(max_size=80).map(lambda text: text.encode())
    | st.binary(max_size=80)
)


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=40)
@given(data=INPUTS)
def test_whatever_arrives_a_parser_takes_it_or_refuses_it_by_name(name: str, data: bytes) -> None:
    PARSERS[name](data)


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("data", [b"[" * 100_000, b'{"a":' * 50_000, b"\xff" * 1000, b"9" * 10_000, b"\x00", b""])
def test_no_parser_is_brought_down_by_depth_or_length(name: str, data: bytes) -> None:
    PARSERS[name](data[:200] if name == "policy" else data)
