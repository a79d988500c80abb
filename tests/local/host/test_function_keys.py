import json
from pathlib import Path

import pytest

from local.host.functions import AuthLevel
from local.host.keys import InvalidKeys, Keys, load_or_create_keys

KEYS = Keys(master="m", function="f", eventgrid_extension="e")


@pytest.mark.parametrize(
    ("level", "accepted"),
    [
        (AuthLevel.ANONYMOUS, {None, "", "m", "f", "e", "x"}),
        (AuthLevel.FUNCTION, {"m", "f"}),
        (AuthLevel.ADMIN, {"m"}),
    ],
)
def test_a_function_opens_to_the_keys_of_its_level(level: AuthLevel, accepted: set[str | None]) -> None:
    offered = [None, "", "m", "f", "e", "x"]

    assert {key for key in offered if KEYS.open_function(level, key)} == accepted


def test_the_webhook_opens_to_its_own_key_and_the_master_key() -> None:
    assert [key for key in (None, "m", "f", "e") if KEYS.open_webhook(key)] == ["m", "e"]


def test_the_admin_api_opens_to_the_master_key_only() -> None:
    assert [key for key in (None, "m", "f", "e") if KEYS.open_admin(key)] == ["m"]


def test_keys_are_made_once_kept_private_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.json"

    keys = load_or_create_keys(path)

    assert load_or_create_keys(path) == keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]
    assert len({keys.master, keys.function, keys.eventgrid_extension}) == 3


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{", "is not a key file"),
        ("[]", "is not a key file"),
        (json.dumps({"master": "m"}), "is not a key file"),
        (json.dumps({"master": "m", "function": "", "eventgrid_extension": "e"}), "has an empty key"),
        (json.dumps({"master": "m", "function": 5, "eventgrid_extension": "e"}), "has an empty key"),
    ],
)
def test_a_broken_key_file_is_refused_rather_than_replaced(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(text)

    with pytest.raises(InvalidKeys, match=part):
        load_or_create_keys(path)

    assert path.read_text() == text
