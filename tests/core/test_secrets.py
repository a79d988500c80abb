"""Secrets go, and what a person needs to act stays."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.azure_errors import classify
from shared.core.secrets import HIDDEN, without_secrets

KEY = base64.b64encode(hashlib.sha512(b"account key").digest()).decode()
FUNCTION_KEY = base64.urlsafe_b64encode(hashlib.sha384(b"function key").digest()[:40]).decode()
TOKEN = "eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.c2lnbmF0dXJl"
ID = (
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/contosoproduction01/providers/"
    "Microsoft.MachineLearningServices/registries/contoso"
)


@pytest.mark.parametrize("secret", [KEY, FUNCTION_KEY, TOKEN])
@pytest.mark.parametrize(
    "around", ["%s", "the key %s is wrong", "'%s'", '{"a":"%s"}', "x=%s;y", "Authorization: Bearer %s"]
)
def test_a_key_or_a_token_is_taken_out_wherever_it_stands(secret: str, around: str) -> None:
    assert secret not in without_secrets(around % secret)
    assert HIDDEN in without_secrets(around % secret)


@pytest.mark.parametrize(
    "text",
    [
        "https://st.blob.core.windows.net/a?sv=2025-01-05&sig=abc%3D",
        "https://app.azurewebsites.net/api/registries?code=abcdefghijklmnopqrst0123456789",
        "Endpoint=sb://x;SharedAccessKeyName=Root;SharedAccessKey=abcd",
        '"client_secret": "abc~def"',
        "x-functions-key: short",
        "aeg-sas-key: abc",
        "Authorization: Basic dXNlcjpwYXNz",
        "it was sent bearer opaque-1234 and refused",
        "the host was asked with code=abcdefghijklmnopqrst0123456789 and refused",
        "moved to https%3A%2F%2Fapp%2Fx%3Fcode%3Dabcdefghijklmnopqrst0123456789",
        "https://ann:pass-phrase@proxy.example:8080/x",
        "cannot connect to amqps://:pass-phrase@queue.example",
        r'{"said": "{\"password\": \"pass-phrase\"}"}',
        '"password": "two words of pass-phrase"',
        "Authorization: SharedAccessSignature pass-phrase",
        "Cookie: __Host-isolation=2026-01-05.pass-phrase.abc",
        "sv=2025-01-05&sig%3Dpass-phrase",
    ],
)
def test_a_named_secret_is_taken_out_however_short_it_is(text: str) -> None:
    shown = without_secrets(text)

    assert HIDDEN in shown
    parts = ("abc%3D", "abcdefghij", "=abcd", "abc~def", "short", "-key: abc", "dXNl", "opaque-1234", "pass-phrase")
    assert not any(part in shown for part in parts)


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"lacks Microsoft.MachineLearningServices/registries/privateEndpointConnectionsApproval/action over scope '{ID}'",
        hashlib.sha256(b"digest").hexdigest(),
        "Error code: AuthorizationFailed",
        "code=AuthorizationFailed",
        "The basic edition has no private endpoints; a bearer token is needed.",
        "azureml-rg-contoso_0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
        "pe-" + "very-long-registry-name-" * 3 + "storage-1a2b3c4d",
        "Operation 5f0c1d2e-0000-4000-8000-000000000000 ran for 12 s (client request id a1b2c3d4)",
    ],
)
def test_what_a_person_needs_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, None])
def test_what_azure_says_loses_its_secrets_on_the_way_in(status: int | None) -> None:
    said = f"token {TOKEN} and AccountKey={KEY} at https://x.example/op?sig=abcdef"
    body = {"error": {"code": "Odd", "message": said, "details": [{"code": "In", "message": said}]}}

    error = classify(status, body if status else said, {}, operation="read registry", resource_id=ID)

    assert not any(secret in error.sentence for secret in (TOKEN, KEY, "abcdef"))


@given(st.text(max_size=300))
def test_taking_secrets_out_ends_and_is_done_once_and_for_all(text: str) -> None:
    shown = without_secrets(text)

    assert without_secrets(shown) == shown
