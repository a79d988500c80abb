"""Who the history says it was."""

from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.http_caller import NOBODY, caller_of, fingerprint
from tests.core.worlds import a_policy, registry_id
from tests.handlers.http_rig import KEY, Door, path_to

PRINCIPAL = {"x-ms-client-principal-id": "11111111-1111", "x-ms-client-principal-name": "alice@contoso.com"}


def told(
    headers: dict[str, str],
    query: dict[str, str] | None = None,
    *,
    easy_auth: bool = False,
    names: dict[str, str] | None = None,
) -> str:
    return caller_of(headers, query or {}, easy_auth=easy_auth, key_names=names or {})


def test_a_key_is_known_by_its_fingerprint_wherever_it_was_offered() -> None:
    print_ = sha256(b"secret").hexdigest()[:8]

    assert told({"x-functions-key": "secret"}) == told({}, {"code": "secret"}) == f"key:{print_}"
    assert told({}) == NOBODY


def test_a_fingerprint_may_have_a_name() -> None:
    print_ = fingerprint("secret")

    assert told({"x-functions-key": "secret"}, names={print_: "alice-laptop"}) == f"alice-laptop (key:{print_})"


def test_headers_of_easy_auth_count_only_where_it_is_on() -> None:
    assert told(PRINCIPAL) == NOBODY
    assert told(PRINCIPAL, easy_auth=True) == "alice@contoso.com (11111111-1111)"
    assert told({"x-ms-client-principal-id": "1"}, easy_auth=True) == "1"
    assert told({"x-functions-key": "k"}, easy_auth=True) == f"key:{fingerprint('k')}"


@given(st.text(), st.text(), st.text())
@example("i" * 1000, "n" * 1000, "k" * 1000)
def test_whatever_is_sent_a_caller_is_one_short_printable_line(identifier: str, name: str, key: str) -> None:
    headers = {"x-ms-client-principal-id": identifier, "x-ms-client-principal-name": name, "x-functions-key": key}

    caller = told(headers, easy_auth=True)

    assert caller.isprintable()
    assert 0 < len(caller) <= 300


@pytest.mark.parametrize(
    ("environ", "caller"),
    [
        ({}, f"key:{fingerprint(KEY)}"),
        ({"ISOLATION_KEY_NAMES": f"{fingerprint(KEY)}=ci"}, f"ci (key:{fingerprint(KEY)})"),
        ({"ISOLATION_EASY_AUTH": "true", "WEBSITE_AUTH_ENABLED": "True"}, "alice@contoso.com (11111111-1111)"),
        (
            {"ISOLATION_EASY_AUTH": "true", "AZURE_FUNCTIONS_ENVIRONMENT": "Development"},
            "alice@contoso.com (11111111-1111)",
        ),
        ({"ISOLATION_EASY_AUTH": "true"}, f"key:{fingerprint(KEY)}"),
        ({"ISOLATION_EASY_AUTH": "true", "WEBSITE_AUTH_ENABLED": "False"}, f"key:{fingerprint(KEY)}"),
        ({"WEBSITE_AUTH_ENABLED": "True"}, f"key:{fingerprint(KEY)}"),
    ],
)
async def test_the_history_names_a_principal_only_where_setting_and_platform_agree(
    environ: dict[str, str], caller: str
) -> None:
    door = Door(a_policy(), environ)
    alpha = registry_id("alpha")

    await door.ask("POST", path_to(alpha, "remediate"), headers=PRINCIPAL)

    entries = (await door.get(path_to(alpha, "history"))).body["entries"]
    assert [entry["caller"] for entry in entries] == [caller]
    assert (await door.get(path_to(alpha))).body["asked"]["caller"] == caller
