"""Who gets in, as whom, for how long, and from where a form may come."""

import asyncio
import json
from base64 import b64encode
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.dashboard_identity import Right, rights_of_key
from handlers.dashboard_request import ROOT
from handlers.dashboard_session import CODE_LIFE, SESSION_LIFE, Sessions
from handlers.http_caller import fingerprint
from tests.core.worlds import a_policy, registry_id
from tests.engine.desk import a_row
from tests.handlers.dashboard_rig import KEY, Browser, MemoryKeyring, Seen
from tests.virtual_time import EPOCH

pytestmark = pytest.mark.virtual_time
ALPHA = registry_id("alpha")
PATH = f"/registries/{ALPHA.subscription}/{ALPHA.resource_group}/{ALPHA.name}"
EASY = {"ISOLATION_EASY_AUTH": "true", "WEBSITE_AUTH_ENABLED": "True"}
MOMENT = timedelta(seconds=1)


@pytest.fixture
async def browser() -> Browser:
    made = Browser(a_policy())
    await made.ledger.write(a_row(registry=ALPHA, sequence=1), None)
    return made


async def principal(*roles: str, environ: dict[str, str] | None = None) -> Browser:
    made = Browser(a_policy(), EASY if environ is None else environ)
    await made.ledger.write(a_row(registry=ALPHA, sequence=1), None)
    claims = [{"typ": "roles", "val": role} for role in roles]
    document = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims}
    made.headers = {
        "x-ms-client-principal-id": "0f0f",
        "x-ms-client-principal-name": "alice@contoso.example",
        "x-ms-client-principal": b64encode(json.dumps(document).encode()).decode(),
    }
    return made


def refused(seen: Seen) -> bool:
    return seen.status == 401 and "Sign in" in seen.words and ALPHA.name not in seen.words


# --- with a key -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", PATH, f"{PATH}/look", f"{PATH}/act/pause"])
async def test_a_stranger_sees_the_sign_in_page_and_nothing_else(browser: Browser, path: str) -> None:
    assert refused(await browser.get(path))


async def test_a_stranger_learns_nothing_of_what_exists(browser: Browser) -> None:
    unknown = PATH.replace("alpha", "nobody")

    assert (await browser.get(PATH)).text == (await browser.get(unknown)).text


async def test_a_key_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_gets(browser: Browser) -> None:
    told = await browser.post("/sign-in", {"code": await browser.code()})

    name, _, attributes = told.headers["Set-Cookie"].partition("=")
    assert name == "__Host-isolation"
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/"} <= set(attributes.split("; "))
    assert (await browser.get()).status == 200


async def test_a_code_is_good_for_a_minute(browser: Browser) -> None:
    code = await browser.code()
    await browser.clock.sleep(CODE_LIFE + MOMENT)

    told = await browser.post("/sign-in", {"code": code})

    assert refused(told)
    assert "older than a minute" in told.words


async def test_a_session_ends_by_itself(browser: Browser) -> None:
    await browser.sign_in()
    await browser.clock.sleep(SESSION_LIFE - timedelta(minutes=1))
    before = await browser.get()
    await browser.clock.sleep(timedelta(minutes=2))

    assert before.status == 200
    assert refused(await browser.get())


async def test_a_code_is_no_cookie_and_a_changed_cookie_is_none(browser: Browser) -> None:
    await browser.sign_in()
    name, _, word = browser.cookie.partition("=")
    key, body, signature = word.split(".")
    forged = [
        await browser.code(),
        f"{key}.{body[:-4]}AAAA.{signature}",
        f"{key}.{body}.{signature[:-1]}x",
        "x",
        "..",
        "é",
    ]

    for value in forged:
        browser.cookie = f"{name}={value}"
        assert refused(await browser.get())


@given(word=st.text(max_size=60) | st.from_regex(r"2026-01-0[45]\.[A-Za-z0-9_-]{0,40}\.[0-9a-f]{0,64}", fullmatch=True))
def test_no_word_that_the_app_did_not_sign_is_anything(word: str) -> None:
    class Noon:
        def now(self) -> datetime:
            return EPOCH

        async def sleep(self, duration: timedelta) -> None:
            raise AssertionError(duration)

    async def read() -> tuple[object, object]:
        sessions = Sessions(MemoryKeyring(Noon()), Noon())
        return await sessions.visitor(word), await sessions.session(word)

    assert asyncio.run(read()) == (None, None)


async def test_signing_out_takes_the_cookie_away(browser: Browser) -> None:
    await browser.sign_in()

    told = await browser.post("/sign-out")

    assert told.status == 303
    assert "Max-Age=0" in told.headers["Set-Cookie"]
    assert refused(await browser.get())


async def test_a_session_may_ask_for_reading_only(browser: Browser) -> None:
    await browser.sign_in(rights="read")

    page, act = await browser.get(PATH), await browser.get(f"{PATH}/act/pause")

    assert page.status == 200
    assert "Pause" not in page.words
    assert (act.status, "lacks that right" in act.words) == (403, True)


def test_a_key_acts_only_if_a_setting_says_so() -> None:
    both = frozenset(Right)

    assert rights_of_key("key:1a2b3c4d", ("*",), only_read=False) == both
    assert rights_of_key("alice (key:1a2b3c4d)", ("alice",), only_read=False) == both
    assert rights_of_key("bob (key:1a2b3c4d)", ("alice",), only_read=False) == {Right.READ}
    assert rights_of_key("key:1a2b3c4d", (), only_read=False) == {Right.READ}
    assert rights_of_key("alice (key:1a2b3c4d)", ("alice",), only_read=True) == {Right.READ}


# --- with a principal -------------------------------------------------------------------------------------------------


async def test_a_principal_without_a_role_is_told_which_ones_there_are() -> None:
    seen = await (await principal("Other.Role")).get(PATH)

    assert seen.status == 403
    assert "Registry.Read" in seen.words
    assert ALPHA.name not in seen.words


async def test_a_principal_reads_or_acts_as_its_roles_say() -> None:
    reader, actor = await principal("Registry.Read"), await principal("Registry.Act")

    assert (await reader.get(PATH)).status == 200
    assert (await reader.get(f"{PATH}/act/pause")).status == 403
    assert (await actor.get(f"{PATH}/act/pause")).status == 200


async def test_roles_may_have_other_names() -> None:
    seen = await (await principal("Netops", environ={**EASY, "ISOLATION_READ_ROLE": "Netops"})).get(PATH)

    assert seen.status == 200


UNGUARDED = pytest.mark.parametrize(
    "environ",
    [
        {},
        {"ISOLATION_EASY_AUTH": "true"},
        {"ISOLATION_EASY_AUTH": "true", "WEBSITE_AUTH_ENABLED": "False"},
        {"WEBSITE_AUTH_ENABLED": "True"},
    ],
)


@UNGUARDED
async def test_a_principal_is_believed_only_where_setting_and_platform_agree(environ: dict[str, str]) -> None:
    browser = await principal("Registry.Act", environ=environ)

    assert refused(await browser.get(PATH))


@UNGUARDED
async def test_a_key_is_exchanged_in_the_name_of_its_holder_whatever_principal_is_claimed(
    environ: dict[str, str],
) -> None:
    browser = await principal("Registry.Act", environ={**environ, "ISOLATION_ACTING_KEYS": "*"})
    await browser.sign_in()
    token = (await browser.get(f"{PATH}/act/pause")).field("token")
    await browser.post(f"{PATH}/act/pause", {"token": token, "why": "x"})

    row = await browser.ledger.read(ALPHA)
    assert row is not None
    assert row.row.paused is not None
    assert row.row.paused.by == f"key:{fingerprint(KEY)}"


@pytest.mark.parametrize(
    "header", ["", "%%%", "bnVsbA==", b64encode(b'{"claims": [7, {"typ": [], "val": 1}]}').decode()]
)
async def test_a_principal_that_cannot_be_read_has_no_right(header: str) -> None:
    browser = await principal("Registry.Act")
    browser.headers["x-ms-client-principal"] = header

    assert (await browser.get(PATH)).status == 403


async def test_with_principals_a_key_gives_no_session() -> None:
    browser = await principal("Registry.Act")
    browser.headers = {}

    with pytest.raises(AssertionError, match="App Service authentication is on"):
        await browser.code()
    seen = await browser.get()
    assert refused(seen)
    assert "/.auth/login/aad" in seen.text


# --- forms ------------------------------------------------------------------------------------------------------------


async def test_an_act_needs_the_token_of_its_own_form(browser: Browser) -> None:
    await browser.sign_in()
    pause = (await browser.get(f"{PATH}/act/pause")).field("token")
    sweep = (await browser.get("/act/sweep")).field("token")
    await browser.sign_in()
    others = (await browser.get(f"{PATH}/act/pause")).field("token")

    for token in ("", pause, sweep, others[:-1] + "x", others + "x"):
        told = await browser.post(f"{PATH}/act/pause", {"token": token, "why": "x"})
        assert (told.status, "nothing was done" in told.words) == (403, True)
    assert (await browser.post(f"{PATH}/act/resume", {"token": others})).status == 403
    assert len(browser.queue) == 0
    assert (await browser.post(f"{PATH}/act/pause", {"token": others, "why": "x"})).status == 303


async def test_a_token_ends_after_half_an_hour(browser: Browser) -> None:
    await browser.sign_in()
    token = (await browser.get(f"{PATH}/act/pause")).field("token")
    await browser.clock.sleep(timedelta(minutes=31))

    assert (await browser.post(f"{PATH}/act/pause", {"token": token, "why": "x"})).status == 403


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("same-origin", "null", 303),
        ("same-origin", "https://isolation.example", 303),
        ("cross-site", "https://evil.example", 403),
        ("same-site", "https://other.example", 403),
        ("none", "null", 403),
        ("", "https://isolation.example", 303),
        ("", "https://evil.example", 403),
        ("", "null", 403),
        ("", "", 403),
    ],
)
async def test_a_form_must_come_from_this_site(browser: Browser, site: str, origin: str, status: int) -> None:
    await browser.sign_in()
    token = (await browser.get(f"{PATH}/act/pause")).field("token")

    told = await browser.post(f"{PATH}/act/pause", {"token": token, "why": "x"}, sec_fetch_site=site, origin=origin)

    assert told.status == status
    assert (len(browser.queue) == 1) == (status == 303)


async def test_another_site_cannot_sign_a_visitor_in_or_out(browser: Browser) -> None:
    code = await browser.code()

    assert (await browser.post("/sign-in", {"code": code}, sec_fetch_site="cross-site")).status == 403
    await browser.sign_in()
    assert (await browser.post("/sign-out", sec_fetch_site="cross-site")).status == 403
    assert (await browser.get()).status == 200


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"a=1&a=2", "application/x-www-form-urlencoded", 422),
        (b"a=%ff", "application/x-www-form-urlencoded", 422),
        (b"\xff", "application/x-www-form-urlencoded", 422),
        (b"{}", "application/json", 422),
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % at for at in range(50)), "application/x-www-form-urlencoded", 422),
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(browser: Browser, body: bytes, media: str, status: int) -> None:
    told = await browser.ask("POST", "/sign-in", body, {"content-type": media, "sec-fetch-site": "same-origin"})

    assert told.status in {status, 400}
    assert "Set-Cookie" not in told.headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/sign-in"),
        ("POST", ""),
        ("POST", PATH),
        ("GET", "/registries/x/y/z"),
        ("GET", f"{PATH}/act/x"),
    ],
)
async def test_what_is_no_page_is_not_found(browser: Browser, method: str, path: str) -> None:
    await browser.sign_in()

    told = await browser.ask(
        method, path, b"", {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    )

    assert told.status == 404


async def test_the_addresses_of_files_name_their_content(browser: Browser) -> None:
    page = await browser.get()
    link = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]

    kept, asked = await browser.get(link), await browser.get(f"{ROOT}/style.css?v=other")

    assert kept.headers["Cache-Control"].endswith("immutable")
    assert asked.headers["Cache-Control"] == "no-store"
    assert kept.text == asked.text
