"""No input makes a parser fail in a way that it does not promise: bounded, and the same inputs everywhere."""

import json
import re
from pathlib import Path
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

PLACES = {
    "handlers/dashboard_identity.py": "callers",
    "handlers/dashboard_pages.py": "a number of six digits at most",
    "handlers/dashboard_request.py": "dashboard",
    "handlers/dashboard_session.py": "sessions",
    "handlers/http_query.py": "requests",
    "handlers/http_request.py": "requests",
    "shared/cloud/arm_client.py": "answers",
    "shared/cloud/arm_hosts.py": "addresses",
    "shared/cloud/arm_policies.py": "of a pipeline: tests/cloud/test_arm_client.py",
    "shared/cloud/arm_gate.py": "of a pipeline: tests/cloud/test_arm_client.py",
    "shared/cloud/arm_telemetry.py": "addresses that were trusted before",
    "shared/cloud/discovery_service.py": "answers",
    "shared/cloud/ledger_entities.py": "ledger",
    "shared/cloud/outcome_events.py": "of a client library: tests/cloud/test_outcome_events.py",
    "shared/cloud/session_keys.py": "the app's own key",
    "shared/cloud/sweep_entities.py": "ledger",
    "shared/core/azure_error_body.py": "azure-errors",
    "shared/core/azure_limits.py": "addresses",
    "shared/core/events.py": "event",
    "shared/core/outcome_messages.py": "messages",
    "shared/core/outcome_topics.py": "addresses",
    "shared/core/requests.py": "messages",
    "shared/core/sweeps.py": "messages",
    "shared/policy_file.py": "policy",
    "shared/settings.py": "settings",
}
"""Every module that reads a text of others with more than comparisons, and which parser here, or what else, answers for it."""
READS = re.compile(
    r"json\.loads|raw_decode|\w+_json\(text|validate_json|\.json\(\)|urlsplit\(|urlparse\(|parse_qsl|b64decode|SimpleCookie\("
    r"|fromisoformat|parsedate_to|zlib\.|yaml\.SafeLoader|literal_eval|etree|int\(raw"
)


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


def test_every_module_that_reads_texts_of_others_has_a_parser_here() -> None:
    root = Path(__file__).parents[2]
    files = [file for room in ("shared", "handlers") for file in (root / room).rglob("*.py")]
    reading = {str(file.relative_to(root)) for file in files if READS.search(file.read_text())}

    assert reading == PLACES.keys()
    assert {told for told in PLACES.values() if " " not in told} <= PARSERS.keys()
