"""Only what the app itself asks of Azure is a step: the caller is read from its token, and nothing else is anybody."""

import base64
import json

import pytest

from local.crash.azure_front import caller_of


def a_token(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"Bearer e30.{body}.x"


@pytest.mark.parametrize("name", ["a", "ab", "abc", "11111111-2222-4333-8444-555555555555"])
def test_the_caller_is_the_object_id_of_the_token_whatever_its_length(name: str) -> None:
    assert caller_of(a_token({"oid": name})) == name


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer ", "Bearer opaque", "Bearer a.!!!.c", "Bearer a.bm8.c", a_token({}), a_token(["oid"]), a_token(None)],
)
def test_what_names_nobody_is_nobody_and_no_step(authorization: str) -> None:
    assert caller_of(authorization) == ""
